import CLinux

/// The memory of this process.
public enum ProcessMemory {
  /// Keeps one arena and gives freed pages back soon: the agent's threads allocate little. To be called before threads start.
  public static func economize() { godwit_allocator_economy() }

  /// Returns to the kernel what starting up used and running does not: freed heap, and code that ran once.
  public static func trim() {
    godwit_allocator_trim()
    godwit_release_code_pages()
  }

  /// Returns the stack that the calling thread's last work needed, before it waits for the next. Not for the main thread.
  public static func releaseStack() { godwit_release_stack() }
}
