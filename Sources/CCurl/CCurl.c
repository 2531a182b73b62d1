#include "CShimsLibrary.h"
#include <pthread.h>
#include <stddef.h>

// What is defined here is not for the library, which has the same names.
#pragma GCC visibility push(hidden)
#include "CCurl.h"

// A link would load the library, and the twenty behind it, into every command: that costs five milliseconds, and a server or a question to
// a directory needs none of them.
#define LIBRARY "libcurl.so.4"
#define FUNCTIONS(F)                                                                                                   \
  F(CURL *, curl_easy_init, (void), ())                                                                                \
  F(void, curl_easy_cleanup, (CURL * handle), (handle))                                                                \
  F(void, curl_easy_reset, (CURL * handle), (handle))                                                                  \
  F(CURLcode, curl_easy_perform, (CURL * handle), (handle))                                                            \
  F(const char *, curl_easy_strerror, (CURLcode code), (code))                                                         \
  F(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text), (list, text))                \
  F(void, curl_slist_free_all, (struct curl_slist * list), (list))                                                     \
  F(CURLM *, curl_multi_init, (void), ())                                                                              \
  F(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))                                                           \
  F(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL * handle), (multi, handle))                                 \
  F(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL * handle), (multi, handle))                              \
  F(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running))                                    \
  F(CURLMcode, curl_multi_poll,                                                                                        \
    (CURLM * multi, struct curl_waitfd descriptors[], unsigned count, int milliseconds, int *ready),                   \
    (multi, descriptors, count, milliseconds, ready))                                                                  \
  F(CURLMsg *, curl_multi_info_read, (CURLM * multi, int *left), (multi, left))

#define DEFINE(result, name, parameters, arguments)                                                                    \
  static result(*loaded_##name) parameters;                                                                            \
  result name parameters { return loaded_##name arguments; }
FUNCTIONS(DEFINE)
#undef DEFINE

static CURLcode (*set)(CURL *, CURLoption, ...);
static CURLcode (*get)(CURL *, CURLINFO, ...);
static char failure[256];

static void load(void) {
#define LOOK_UP(result, name, parameters, arguments) {#name, &loaded_##name},
  const CShims_Function functions[] = {
      FUNCTIONS(LOOK_UP)
      {"curl_easy_setopt", &set},
      {"curl_easy_getinfo", &get},
  };
#undef LOOK_UP
  CShims_loadLibrary(LIBRARY, functions, sizeof functions / sizeof *functions, failure, sizeof failure);
}

const char *CCurl_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return failure[0] == 0 ? NULL : failure;
}

CURLcode CCurl_setLong(CURL *handle, CURLoption option, long value) { return set(handle, option, value); }

CURLcode CCurl_setOffset(CURL *handle, CURLoption option, curl_off_t value) { return set(handle, option, value); }

CURLcode CCurl_setText(CURL *handle, CURLoption option, const char *value) { return set(handle, option, value); }

CURLcode CCurl_setPointer(CURL *handle, CURLoption option, const void *value) { return set(handle, option, value); }

CURLcode CCurl_setList(CURL *handle, struct curl_slist *value) { return set(handle, CURLOPT_HTTPHEADER, value); }

CURLcode CCurl_setReceive(CURL *handle, CURLoption option, CCurl_receive value) { return set(handle, option, value); }

CURLcode CCurl_status(CURL *handle, long *status) { return get(handle, CURLINFO_RESPONSE_CODE, status); }

#pragma GCC visibility pop
