#pragma once
// The checks are macros for C; the wrappers below have types of their own.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// libcurl's options and answers go through a variable argument, which Swift cannot pass.
static inline CURLcode tollkey_curl_set_number(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tollkey_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tollkey_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tollkey_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tollkey_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tollkey_curl_set_writer(CURL *easy, CURLoption option, curl_write_callback value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode tollkey_curl_on_request(CURL *easy, curl_prereq_callback value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}
static inline CURLcode tollkey_curl_on_socket(CURL *easy, curl_sockopt_callback value) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, value);
}
static inline CURLcode tollkey_curl_on_tls(CURL *easy, curl_ssl_ctx_callback value) {
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, value);
}
static inline CURLcode tollkey_curl_get_number(CURL *easy, CURLINFO what, long *value) {
    return curl_easy_getinfo(easy, what, value);
}
static inline CURLcode tollkey_curl_get_size(CURL *easy, CURLINFO what, curl_off_t *value) {
    return curl_easy_getinfo(easy, what, value);
}

// Macros with casts, which Swift does not import.
static const long TOLLKEY_CURL_GLOBAL = CURL_GLOBAL_DEFAULT;
static const long TOLLKEY_CURL_BASIC = CURLAUTH_BASIC;
