import CLinux
import Glibc

/// Why a program could not be run.
public enum SubprocessFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no such program.
  case absent(String)
  /// It may not be run.
  case barred(String)
  /// It is there and cannot be run: why.
  case unfit(String, why: String)
  /// What was started before hangs in the kernel, killed but not gone: no more is started beside it.
  case hangs(String)
  /// A call failed.
  case io(call: String, errno: Int32)

  /// One line for people.
  public var description: String {
    switch self {
    case .absent(let path): "there is no program \(path)"
    case .barred(let path): "no right to run \(path)"
    case .unfit(let path, let why): "\(path) \(why)"
    case .hangs(let path): "\(path) hangs in the kernel since it was killed, and is not started again before it is gone"
    case .io(let call, let errno): "\(call): errno \(errno)"
    }
  }
}

/// Starts programs beside threads: posix_spawn(3), never a fork in which Swift would run.
enum ChildStart {
  /// The environment of every child: what an administrator has at login, nothing of the agent's own.
  static let environment = ["LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]

  /// The descriptors of a child; negative ones are `/dev/null`.
  struct Descriptors {
    var input: Int32 = -1
    var output: Int32 = -1
    var error: Int32 = -1
  }

  /// Starts a program by its path; no shell, no search. The caller reaps it.
  static func start(
    _ path: String, _ arguments: [String], _ descriptors: Descriptors, environment: [String] = ChildStart.environment,
    blocksSignals: Bool = false
  ) throws(SubprocessFailure) -> Int32 {
    var process: Int32 = 0
    let result = withStrings([path] + arguments) { arguments in
      withStrings(environment) { environment in
        godwit_spawn(
          path, arguments, environment, descriptors.input, descriptors.output, descriptors.error, blocksSignals ? 1 : 0, &process)
      }
    }
    switch -result {
    case 0: return process
    case ENOENT where access(path, F_OK) == 0: throw .unfit(path, why: "names a program behind #! that is not there")
    case ENOEXEC: throw .unfit(path, why: "is no program of this machine, and no script that begins with #!")
    case ENOENT, ENOTDIR: throw .absent(path)
    case EACCES, EPERM: throw .barred(path)
    default: throw .io(call: "posix_spawn", errno: -result)
    }
  }

  /// posix_spawn wants C strings, ended by a null pointer, for as long as the call takes.
  private static func withStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
  }
}
