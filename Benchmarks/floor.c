// The floor: a C program that once a second reads the files of one tick, descriptors kept open, looks at each byte, and does nothing else.
// Prints the microseconds of processor time that one round took: it runs beside the agent, on the same caches.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *const paths[] = {
    "/proc/stat",          "/proc/loadavg", "/proc/pressure/cpu", "/proc/pressure/memory",
    "/proc/pressure/io",   "/proc/meminfo", "/proc/vmstat",       "/proc/net/dev",
    "/proc/net/snmp",      "/proc/net/sockstat", "/proc/diskstats",
};
enum { count = sizeof paths / sizeof paths[0] };

static double spent_microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  int seconds = argc > 1 ? atoi(argv[1]) : 20;
  int descriptors[count];
  static char buffer[1 << 18];
  volatile long sum = 0;
  double begun = 0;
  for (int i = 0; i < count; i++) descriptors[i] = open(paths[i], O_RDONLY);
  for (int second = 0; second <= seconds; second++) {
    for (int i = 0; i < count; i++) {
      ssize_t total = 0, got;
      if (descriptors[i] < 0) continue;
      while ((got = pread(descriptors[i], buffer + total, sizeof buffer - total, total)) > 0) total += got;
      for (ssize_t at = 0; at < total; at++) sum += buffer[at];
    }
    // The first round is colder than any later one.
    if (second == 0) begun = spent_microseconds();
    struct timespec pause = {1, 0};
    nanosleep(&pause, 0);
  }
  printf("%.1f\n", (spent_microseconds() - begun) / seconds);
  return 0;
}
