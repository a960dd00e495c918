// What OpenSSL thinks of a broker's certificate. libmosquitto brings OpenSSL along and says only that a handshake failed, so its functions
// are looked up at run time: neither its headers nor its version matter here, and a libmosquitto without TLS will do as well.
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

// Called in place of X509_verify_cert: SSL_CTX_set_cert_verify_callback(3).
typedef int (*godwit_judge)(void *store, void *user);

struct godwit_verdict {
  // X509_STORE_CTX_get_error(3).
  int error;
  // 0 is the broker's own certificate, more those that signed it.
  int depth;
  // Seconds since 1970 in which that certificate is valid; 0 when unknown.
  int64_t begins, ends;
  // What OpenSSL says of the error; may be null.
  const char *text;
};

// RTLD_DEFAULT is null in glibc and musl, and hidden behind _GNU_SOURCE.
static inline void *godwit_symbol(const char *name) { return dlsym((void *)0, name); }

// A client's SSL_CTX whose certificates the judge decides on; null when the library has no OpenSSL.
static inline void *godwit_tls_context(godwit_judge judge, void *user) {
  const void *(*method)(void) = (const void *(*)(void))godwit_symbol("TLS_client_method");
  void *(*make)(const void *) = (void *(*)(const void *))godwit_symbol("SSL_CTX_new");
  void (*set)(void *, godwit_judge, void *) =
      (void (*)(void *, godwit_judge, void *))godwit_symbol("SSL_CTX_set_cert_verify_callback");
  if (!method || !make || !set) return (void *)0;
  // All that the judge cannot do without: else the library judges alone.
  if (!godwit_symbol("X509_verify_cert") || !godwit_symbol("X509_STORE_CTX_set_verify_cb") ||
      !godwit_symbol("X509_STORE_CTX_get0_param") || !godwit_symbol("X509_VERIFY_PARAM_set1_host") ||
      !godwit_symbol("X509_VERIFY_PARAM_set1_ip_asc"))
    return (void *)0;
  void *context = make(method());
  if (context) set(context, judge, user);
  return context;
}

static inline void godwit_tls_release(void *context) {
  void (*release)(void *) = (void (*)(void *))godwit_symbol("SSL_CTX_free");
  if (release && context) release(context);
}

static inline int64_t godwit_certificate_time(const char *getter, const void *certificate) {
  const void *(*get)(const void *) = (const void *(*)(const void *))godwit_symbol(getter);
  int (*convert)(const void *, struct tm *) = (int (*)(const void *, struct tm *))godwit_symbol("ASN1_TIME_to_tm");
  struct tm time = {0};
  if (!get || !convert || convert(get(certificate), &time) != 1) return 0;
  return (int64_t)timegm(&time);
}

static inline int godwit_as_verified(int is_right, void *store) {
  (void)store;
  return is_right;
}

// Has the name looked for in the certificate, an address as such. libmosquitto's own look needs an index that it makes only together with
// its own context (2.0.11), so it is put aside.
static inline int godwit_tls_expect(void *store, const char *name) {
  void (*set_callback)(void *, int (*)(int, void *)) =
      (void (*)(void *, int (*)(int, void *)))godwit_symbol("X509_STORE_CTX_set_verify_cb");
  void *(*get_parameters)(void *) = (void *(*)(void *))godwit_symbol("X509_STORE_CTX_get0_param");
  int (*set_address)(void *, const char *) = (int (*)(void *, const char *))godwit_symbol("X509_VERIFY_PARAM_set1_ip_asc");
  int (*set_host)(void *, const char *, size_t) = (int (*)(void *, const char *, size_t))godwit_symbol("X509_VERIFY_PARAM_set1_host");
  if (!set_callback || !get_parameters || !set_address || !set_host) return 0;
  set_callback(store, godwit_as_verified);
  if (!name) return 1;
  void *parameters = get_parameters(store);
  return parameters && (set_address(parameters, name) == 1 || set_host(parameters, name, 0) == 1);
}

// Verifies the chain at a time of ours and, unless it is null, the name; says what was wrong.
static inline int godwit_tls_verify(void *store, int64_t now, const char *name, struct godwit_verdict *verdict) {
  int (*verify)(void *) = (int (*)(void *))godwit_symbol("X509_verify_cert");
  void (*set_time)(void *, unsigned long, time_t) = (void (*)(void *, unsigned long, time_t))godwit_symbol("X509_STORE_CTX_set_time");
  int (*get_error)(const void *) = (int (*)(const void *))godwit_symbol("X509_STORE_CTX_get_error");
  int (*get_depth)(const void *) = (int (*)(const void *))godwit_symbol("X509_STORE_CTX_get_error_depth");
  void *(*get_certificate)(const void *) = (void *(*)(const void *))godwit_symbol("X509_STORE_CTX_get_current_cert");
  const char *(*describe)(long) = (const char *(*)(long))godwit_symbol("X509_verify_cert_error_string");
  if (!verify || !godwit_tls_expect(store, name)) return 0;
  if (set_time) set_time(store, 0, (time_t)now);
  int result = verify(store);
  if (!get_error || !get_depth || !get_certificate) return result;
  verdict->error = get_error(store);
  verdict->depth = get_depth(store);
  verdict->text = describe ? describe(verdict->error) : (const char *)0;
  const void *certificate = get_certificate(store);
  if (certificate) {
    verdict->begins = godwit_certificate_time("X509_get0_notBefore", certificate);
    verdict->ends = godwit_certificate_time("X509_get0_notAfter", certificate);
  }
  return result;
}
