// What a program that calls foreign code does to itself first, and how processes end.
#ifndef GODWIT_CONFINEMENT_H
#define GODWIT_CONFINEMENT_H

/// Gives up what such a program does not need: it is killed when the thread that started it ends, leaves no core, yields to others, is the
/// first to go when memory runs out, and holds no descriptor besides the standard three. Returns 0 or -errno.
int godwit_confine_self(void);

/// A pair of stream sockets, close-on-exec. Returns 0 or -errno.
int godwit_stream_sockets(int ends[2]);

/// A wait status: the number of the signal that ended a process, or 0; and its exit status otherwise.
int godwit_ending_signal(int status);
int godwit_exit_status(int status);

#endif
