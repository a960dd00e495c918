#define _GNU_SOURCE
#include "CLinuxTLS.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

// Of ssl.h and tls1.h: part of the library's binary interface since 1.0.
enum { CTRL_SET_SERVER_NAME = 55, FILETYPE_PEM = 1, WANTS_READ = 2, WANTS_WRITE = 3, ZERO_RETURN = 6 };

static struct {
  const void *(*method)(void);
  void *(*context_new)(const void *);
  void (*context_free)(void *);
  int (*default_paths)(void *);
  int (*load_file)(void *, const char *, const char *);
  void (*ask_password)(void *, int (*)(char *, int, int, void *));
  int (*show_chain)(void *, const char *);
  int (*use_key)(void *, const char *, int);
  void *(*session_new)(void *);
  void (*session_free)(void *);
  int (*set_descriptor)(void *, int);
  long (*control)(void *, int, long, void *);
  int (*expect_host)(void *, const char *);
  void *(*parameters)(void *);
  int (*expect_address)(void *, const char *);
  int (*connect)(void *);
  int (*read)(void *, void *, int);
  int (*write)(void *, const void *, int);
  int (*error)(const void *, int);
  void *(*certificate)(const void *);
  void (*certificate_free)(void *);
  const void *(*ends)(const void *);
  int (*as_time)(const void *, struct tm *);
  long (*verdict)(const void *);
  const char *(*verdict_text)(long);
  unsigned long (*last_error)(void);
  void (*clear_errors)(void);
  const char *(*reason)(unsigned long);
} ssl;
static int is_there;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libssl.so.1.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  is_there = 1;
#define FIND(member, name) \
  if (!(*(void **)&ssl.member = dlsym(library, name))) is_there = 0;
  FIND(method, "TLS_client_method")
  FIND(context_new, "SSL_CTX_new")
  FIND(context_free, "SSL_CTX_free")
  FIND(default_paths, "SSL_CTX_set_default_verify_paths")
  FIND(load_file, "SSL_CTX_load_verify_locations")
  FIND(ask_password, "SSL_CTX_set_default_passwd_cb")
  FIND(show_chain, "SSL_CTX_use_certificate_chain_file")
  FIND(use_key, "SSL_CTX_use_PrivateKey_file")
  FIND(session_new, "SSL_new")
  FIND(session_free, "SSL_free")
  FIND(set_descriptor, "SSL_set_fd")
  FIND(control, "SSL_ctrl")
  FIND(expect_host, "SSL_set1_host")
  FIND(parameters, "SSL_get0_param")
  FIND(expect_address, "X509_VERIFY_PARAM_set1_ip_asc")
  FIND(connect, "SSL_connect")
  FIND(read, "SSL_read")
  FIND(write, "SSL_write")
  FIND(error, "SSL_get_error")
  FIND(certificate_free, "X509_free")
  FIND(ends, "X509_get0_notAfter")
  FIND(as_time, "ASN1_TIME_to_tm")
  FIND(verdict, "SSL_get_verify_result")
  FIND(verdict_text, "X509_verify_cert_error_string")
  FIND(last_error, "ERR_peek_last_error")
  FIND(clear_errors, "ERR_clear_error")
  FIND(reason, "ERR_reason_error_string")
#undef FIND
  // It was renamed with 3.0.
  *(void **)&ssl.certificate = dlsym(library, "SSL_get1_peer_certificate");
  if (!ssl.certificate) *(void **)&ssl.certificate = dlsym(library, "SSL_get_peer_certificate");
  if (!ssl.certificate) is_there = 0;
}

int godwit_tls_is_there(void) {
  pthread_once(&once, load);
  return is_there;
}

// Without an answer of its own the library would ask at the terminal.
static int no_password(char *password, int size, int is_writing, void *user) {
  (void)password, (void)size, (void)is_writing, (void)user;
  return 0;
}

void *godwit_tls_trust(const char *ca_file, const char *certificate_file, const char *key_file) {
  if (!godwit_tls_is_there()) return NULL;
  void *trust = ssl.context_new(ssl.method());
  if (!trust) return NULL;
  // The handshake goes on with a certificate that is not trusted: its end is told all the same, and what is wrong with it.
  int result = ca_file ? ssl.load_file(trust, ca_file, NULL) : ssl.default_paths(trust);
  ssl.ask_password(trust, no_password);
  if (result == 1 && certificate_file && key_file)
    result = ssl.show_chain(trust, certificate_file) == 1 && ssl.use_key(trust, key_file, FILETYPE_PEM) == 1;
  if (result == 1) return trust;
  ssl.context_free(trust);
  return NULL;
}

void godwit_tls_forget(void *trust) { ssl.context_free(trust); }

void *godwit_tls_begin(void *trust, int descriptor, const char *name) {
  void *session = ssl.session_new(trust);
  if (!session) return NULL;
  // An address is looked for as such, and RFC 6066 wants none as a server name.
  int is_right = ssl.set_descriptor(session, descriptor) == 1;
  if (is_right && ssl.expect_address(ssl.parameters(session), name) != 1)
    is_right = ssl.expect_host(session, name) == 1 && ssl.control(session, CTRL_SET_SERVER_NAME, 0, (void *)name) == 1;
  if (is_right) return session;
  ssl.session_free(session);
  return NULL;
}

void godwit_tls_end(void *session) { ssl.session_free(session); }

static int step(void *session, int result) {
  if (result > 0) return result;
  switch (ssl.error(session, result)) {
    case WANTS_READ: return GODWIT_TLS_WANTS_READ;
    case WANTS_WRITE: return GODWIT_TLS_WANTS_WRITE;
    case ZERO_RETURN: return GODWIT_TLS_CLOSED;
    default: return GODWIT_TLS_FAILED;
  }
}

int godwit_tls_handshake(void *session) {
  ssl.clear_errors();
  return step(session, ssl.connect(session));
}

int godwit_tls_read(void *session, uint8_t *bytes, int count) {
  ssl.clear_errors();
  return step(session, ssl.read(session, bytes, count));
}

int godwit_tls_write(void *session, const uint8_t *bytes, int count) {
  ssl.clear_errors();
  return step(session, ssl.write(session, bytes, count));
}

int64_t godwit_tls_certificate_end(void *session) {
  struct tm time = {0};
  void *certificate = ssl.certificate(session);
  if (!certificate) return 0;
  int result = ssl.as_time(ssl.ends(certificate), &time);
  ssl.certificate_free(certificate);
  return result == 1 ? (int64_t)timegm(&time) : 0;
}

const char *godwit_tls_distrust(void *session) {
  long verdict = ssl.verdict(session);
  return verdict == 0 ? NULL : ssl.verdict_text(verdict);
}

void godwit_tls_failure(char *text, size_t size) {
  const char *reason = ssl.reason(ssl.last_error());
  snprintf(text, size, "%s", reason ? reason : "");
}
