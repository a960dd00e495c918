// Takes the place of the Swift library's table of the names of Unicode's characters, `Unicode.Scalar.Properties.name`: 0.55 MB of the agent, and
// nobody asks for one. Without names all are nil. For scripts/build.sh, which has the linker send the calls here.
#include <stdint.h>

intptr_t __wrap__swift_stdlib_getScalarName(uint32_t scalar, uint8_t *name, intptr_t capacity) {
  (void)scalar;
  (void)name;
  (void)capacity;
  return 0;
}
