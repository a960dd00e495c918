import Agent
import Glibc

// _exit rather than exit: threads that hang in a device must not hold up the end, and all that matters is committed.
_exit(Agent.main(Array(CommandLine.arguments.dropFirst())))
