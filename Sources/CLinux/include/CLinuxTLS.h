// TLS for probes by the OpenSSL of the system, loaded when it is first needed: neither its headers nor its version matter.
#ifndef GODWIT_CLINUX_TLS_H
#define GODWIT_CLINUX_TLS_H

#include <stddef.h>
#include <stdint.h>

/// Whether there is an OpenSSL with all that is needed.
int godwit_tls_is_there(void);

/// Whom to trust: a file of certificates, or with null the system's; and what to show: a certificate and its key, or null. Null when one
/// cannot be read or they do not belong together.
void *godwit_tls_trust(const char *ca_file, const char *certificate_file, const char *key_file);
void godwit_tls_forget(void *trust);

/// A client's session over a connected socket. `name` is asked for and expected in the certificate. Null when memory is short.
void *godwit_tls_begin(void *trust, int descriptor, const char *name);
void godwit_tls_end(void *session);

/// What a step came to: more than 0 bytes (or 1 for the handshake), or one of these.
enum { GODWIT_TLS_CLOSED = 0, GODWIT_TLS_FAILED = -1, GODWIT_TLS_WANTS_READ = -2, GODWIT_TLS_WANTS_WRITE = -3 };
int godwit_tls_handshake(void *session);
int godwit_tls_read(void *session, uint8_t *bytes, int count);
int godwit_tls_write(void *session, const uint8_t *bytes, int count);

/// Seconds since 1970 at which the other side's certificate ends; 0 when there is none.
int64_t godwit_tls_certificate_end(void *session);
/// What is wrong with its chain or name; null when nothing is.
const char *godwit_tls_distrust(void *session);
/// The library's own words for what failed last on this thread.
void godwit_tls_failure(char *text, size_t size);

#endif
