// What only the processor and OpenSSL know.
#ifndef GODWIT_CLINUX_MACHINE_H
#define GODWIT_CLINUX_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/// The twelve characters by which a hypervisor names itself to its guests on x86: CPUID leaf 0x40000000, reserved for them where bit 31 of ECX
/// in leaf 1 is set (Documentation/virt/kvm/x86/cpuid.rst). Returns 0 where there is none.
int godwit_hypervisor_signature(char signature[13]);

/// HMAC (RFC 2104) with SHA-256 by the OpenSSL of the system, loaded when it is first needed. Returns 0 where there is none.
int godwit_keyed_digest(const uint8_t *key, size_t key_count, const uint8_t *text, size_t count, uint8_t digest[32]);

#endif
