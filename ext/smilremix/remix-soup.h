/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libsoup. What it brings along (HTTP/2, Kerberos, SQLite) takes a process longer
 * to load than a title of files takes to plan, and is loaded when a playlist or a
 * source comes over HTTP, not before. Where REMIX_SOUP_LIBRARY is not defined it
 * is linked as any other library.
 */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/** Has to succeed before any function of libsoup is called. REMIX_ERROR_READ if the library is missing. Any thread. */
gboolean remix_soup_load (GError **error);
/** Over HTTP/2 libsoup receives what nobody reads, without a bound. Before 3.4 it cannot be told so, and this does nothing. */
void remix_soup_force_http1 (SoupMessage *message);

#ifdef REMIX_SOUP_LIBRARY

#define REMIX_SOUP_FUNCTIONS(_) \
  _ (soup_content_decoder_get_type) \
  _ (soup_message_add_flags) \
  _ (soup_message_get_reason_phrase) \
  _ (soup_message_get_remote_address) \
  _ (soup_message_get_request_headers) \
  _ (soup_message_get_response_headers) \
  _ (soup_message_get_status) \
  _ (soup_message_headers_get_content_length) \
  _ (soup_message_headers_get_content_range) \
  _ (soup_message_headers_get_encoding) \
  _ (soup_message_headers_get_list) \
  _ (soup_message_headers_get_one) \
  _ (soup_message_headers_replace) \
  _ (soup_message_new) \
  _ (soup_session_abort) \
  _ (soup_session_new_with_options) \
  _ (soup_session_remove_feature_by_type) \
  _ (soup_session_send_async) \
  _ (soup_session_send_finish)

typedef struct
{
#define REMIX_SOUP_MEMBER(name) __typeof__ (name) *name;
  REMIX_SOUP_FUNCTIONS (REMIX_SOUP_MEMBER)
#undef REMIX_SOUP_MEMBER
} RemixSoup;

/** Set by remix_soup_load(); not to be used by name. */
extern RemixSoup remix_soup;

#ifndef REMIX_SOUP_NO_MACROS
#define soup_content_decoder_get_type remix_soup.soup_content_decoder_get_type
#define soup_message_add_flags remix_soup.soup_message_add_flags
#define soup_message_get_reason_phrase remix_soup.soup_message_get_reason_phrase
#define soup_message_get_remote_address \
  remix_soup.soup_message_get_remote_address
#define soup_message_get_request_headers \
  remix_soup.soup_message_get_request_headers
#define soup_message_get_response_headers \
  remix_soup.soup_message_get_response_headers
#define soup_message_get_status remix_soup.soup_message_get_status
#define soup_message_headers_get_content_length \
  remix_soup.soup_message_headers_get_content_length
#define soup_message_headers_get_content_range \
  remix_soup.soup_message_headers_get_content_range
#define soup_message_headers_get_encoding \
  remix_soup.soup_message_headers_get_encoding
#define soup_message_headers_get_list remix_soup.soup_message_headers_get_list
#define soup_message_headers_get_one remix_soup.soup_message_headers_get_one
#define soup_message_headers_replace remix_soup.soup_message_headers_replace
#define soup_message_new remix_soup.soup_message_new
#define soup_session_abort remix_soup.soup_session_abort
#define soup_session_new_with_options remix_soup.soup_session_new_with_options
#define soup_session_remove_feature_by_type \
  remix_soup.soup_session_remove_feature_by_type
#define soup_session_send_async remix_soup.soup_session_send_async
#define soup_session_send_finish remix_soup.soup_session_send_finish
/* A variable of the library; its value is this text. */
#undef SOUP_METHOD_GET
#define SOUP_METHOD_GET "GET"
#endif

#endif

G_END_DECLS
