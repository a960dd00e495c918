/// The bounds of the agent.
enum AgentLimits {
  /// Transactions that may wait for the storage thread.
  static let storageMailbox = 64
  /// Seconds between attempts to find a sensor's hardware that was absent.
  static let absentRetrySeconds: Int64 = 60
  /// So many seconds later at most for one that needs a thread, each kind at a second of its own.
  static let absentStaggerSeconds: UInt64 = 15
  /// Ticks that the samples of slow sensors are spread over.
  static let staggerTicks: UInt64 = 10
  /// The longest wait before a failed sensor is made anew, seconds.
  static let failedRetrySeconds: Int64 = 300
  /// Threads of one slow sensor that hang and were given up; no more are started until one returns.
  static let abandonedThreads = 3
  /// Tick times the lateness is taken from.
  static let latenessWindow = 256
  /// Seconds to wait for the buffer at start before going on from memory.
  static let openSeconds = 10
  /// Commits between two rounds of making room.
  static let commitsPerRetention = 6
  /// Wait before the disk is tried again, milliseconds: first and longest.
  static let storageRetryMilliseconds = 1_000...30_000
  /// Clients of the control socket at a time.
  static let controlClients = 8
  /// Bytes of a request on the control socket.
  static let controlRequestBytes = 256
  /// Seconds a client may take.
  static let controlClientSeconds: Int64 = 5
  /// Samples of delivery's counters, and milliseconds between two of them: the last minute.
  static let paceSamples = 31
  static let paceMilliseconds: Int64 = 2_000
  /// The shortest time that a rate is taken over.
  static let paceLeastNanoseconds: Int64 = 1_000_000_000
  /// How late a tick may be before systemd's watchdog is no longer fed, nanoseconds.
  static let overdueNanoseconds: Int64 = 2_000_000_000
  /// Ticks further apart than this are not waited for at the start.
  static let longTickMilliseconds = 5_000
  /// Ticks after which the agent is settled, and gives back what only starting and the first commits needed.
  static let settledTicks: UInt64 = 20
  /// The longest wait before a watchdog that could not be opened is tried again, seconds.
  static let watchdogRetrySeconds: Int64 = 300
  /// Lines that the guard of the outputs holds at most.
  static let guardedLines = 64
  /// Bytes of a problem that it tells.
  static let guardProblemBytes = 400
  /// How long it waits for its first word, milliseconds.
  static let guardStartMilliseconds = 10_000
  /// What the agent may be late beyond three ticks before it sets the lines safe, milliseconds.
  static let guardSlackMilliseconds = 5_000
  /// The longest wait before a guard that ended is started anew, milliseconds.
  static let guardRetryMilliseconds: Int64 = 60_000
  /// The longest wait before a line that could not be driven is tried again, milliseconds.
  static let lineRetryMilliseconds: Int64 = 60_000
  /// How long a command waits for its line to follow, nanoseconds.
  static let outputCommandNanoseconds: Int64 = 10_000_000_000
  /// The longest time that a command switches an output for: 7 days, milliseconds.
  static let longestOutputMilliseconds = 7 * 86_400_000
  /// How long the last commit before a shutdown is waited for, nanoseconds.
  static let shutdownCommitNanoseconds: Int64 = 10_000_000_000
  /// How old a measurement may be for which the device is switched off, nanoseconds.
  static let shutdownSilenceNanoseconds: Int64 = 60_000_000_000
  /// Attempts to switch the device off, in one boot.
  static let shutdownAttempts = 3
  /// Between two of them, nanoseconds.
  static let shutdownRetryNanoseconds: Int64 = 60_000_000_000
  /// How long the program that does it may take, milliseconds.
  static let shutdownMilliseconds = 30_000
  /// Bytes of a message in the log.
  static let logMessageBytes = 1_000
  /// Distinct problems whose repeats are counted.
  static let logKeys = 1_000
  /// Milliseconds by which the wall clock must differ from its epoch to count as stepped.
  static let clockStepMilliseconds: Int64 = 50
  /// Epochs that a boot opens at once, whenever the clock steps; after that it waits between two of them, so that a clock that never comes to
  /// rest fills neither memory nor buffer: two years of steps are 18,000 epochs.
  static let epochsPerBoot = 100
  /// How long it then waits, milliseconds; the wall time of ticks is off by the step meanwhile, their order is not.
  static let epochPauseMilliseconds: Int64 = 3_600_000
  /// Seconds that a `flush` waits for the disk.
  static let flushSeconds: Int64 = 30
  /// How far off the next tick must be for a `sample` to take one of its own, nanoseconds.
  static let hastenNanoseconds: Int64 = 1_000_000_000
  /// The longest silence: 30 days, milliseconds.
  static let longestSilenceMilliseconds = 30 * 86_400_000
  /// Bytes of the text that keeps silences over a restart.
  static let silencesBytes = 256 * 1024
  /// Characters of a name from outside that are repeated in an answer.
  static let shownNameCharacters = 64
  /// Alerts named in the status that ended because their series is gone.
  static let shownEndings = 50
  /// Problems or changes of a profile named in an answer.
  static let shownProblems = 16
  /// Seconds between questions to the kernel whether the clock is synchronised.
  static let clockCheckSeconds: Int64 = 5
}
