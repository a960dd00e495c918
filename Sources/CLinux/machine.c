#define _GNU_SOURCE
#include "CLinuxMachine.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

int godwit_hypervisor_signature(char signature[13]) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 0x80000000u)) return 0;
  __cpuid(0x40000000u, a, b, c, d);
  memcpy(signature, &b, 4);
  memcpy(signature + 4, &c, 4);
  memcpy(signature + 8, &d, 4);
  signature[12] = 0;
  return 1;
}
#else
int godwit_hypervisor_signature(char signature[13]) {
  signature[0] = 0;
  return 0;
}
#endif

static const void *(*sha256)(void);
static unsigned char *(*hmac)(const void *, const void *, int, const unsigned char *, size_t, unsigned char *, unsigned *);
static pthread_once_t once = PTHREAD_ONCE_INIT;

// In the agent it is there already: the MQTT library is linked with it.
static void load(void) {
  void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libcrypto.so.1.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  *(void **)&sha256 = dlsym(library, "EVP_sha256");
  *(void **)&hmac = dlsym(library, "HMAC");
}

int godwit_keyed_digest(const uint8_t *key, size_t key_count, const uint8_t *text, size_t count, uint8_t digest[32]) {
  pthread_once(&once, load);
  if (!sha256 || !hmac || key_count > 4096) return 0;
  unsigned length = 0;
  return hmac(sha256(), key, (int)key_count, text, count, digest, &length) && length == 32;
}
