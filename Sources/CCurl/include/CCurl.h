#ifndef CCURL_H
#define CCURL_H

// The functions of libcurl that the client calls, under their own names, and one of ours for each kind of argument where libcurl's
// take a variable list: see CCurl.c.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/// Loads the library, once; comes before all other calls. Why that cannot be, or null.
const char *CCurl_load(void);

CURLcode CCurl_setLong(CURL *handle, CURLoption option, long value);
CURLcode CCurl_setOffset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode CCurl_setText(CURL *handle, CURLoption option, const char *value);
CURLcode CCurl_setPointer(CURL *handle, CURLoption option, const void *value);
CURLcode CCurl_setList(CURL *handle, struct curl_slist *value);

/// Called with received bytes; what it returns, if not `count`, aborts the transfer.
typedef size_t (*CCurl_receive)(char *bytes, size_t size, size_t count, void *context);

CURLcode CCurl_setReceive(CURL *handle, CURLoption option, CCurl_receive value);
CURLcode CCurl_status(CURL *handle, long *status);

#endif
