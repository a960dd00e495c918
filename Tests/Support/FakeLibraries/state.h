// What the fake library is to do now. STATE is the path of a file with one word.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *state(void) {
  static char word[32];
  word[0] = 0;
  FILE *file = fopen(STATE, "r");
  if (file != NULL) {
    if (fscanf(file, "%31s", word) != 1) word[0] = 0;
    fclose(file);
  }
  return word;
}

static int is(const char *wanted) { return strcmp(state(), wanted) == 0; }

/// Prints as careless libraries do, then hangs, crashes or returns.
static void behave(void) {
  printf("the library talks\n");
  fprintf(stderr, "and complains\n");
  fflush(stdout);
  while (is("hang")) usleep(20000);
  if (is("crash")) raise(SIGSEGV);
}
