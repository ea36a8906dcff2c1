/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses: how a playlist's are resolved, and which of them may be opened. A
 * playlist is data from somewhere else; it must not make us read /etc/passwd or
 * ask an internal service.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * remix_uri_resolve:
 * @base: (nullable): an absolute URI
 * @reference: an absolute or relative reference (RFC 3986); blanks around it are
 *   dropped, characters that a URI cannot hold are escaped
 *
 * Returns: (transfer full): an absolute URI without a fragment, or NULL with
 *   REMIX_ERROR_PLAYLIST
 */
gchar *
remix_uri_resolve (const gchar *base, const gchar *reference, GError **error);

/** A location as users write it, a path or a URI, as a URI; (transfer full). */
gchar *remix_uri_from_location (const gchar *location, GError **error);

gboolean remix_uri_is_file (const gchar *uri);
gboolean remix_uri_is_http (const gchar *uri);

/**
 * RemixPolicy: what a playlist's addresses may be. Immutable but for
 * remix_policy_pin_host(), may be read from several threads.
 */
typedef struct _RemixPolicy RemixPolicy;

/**
 * remix_policy_new:
 * @playlist_uri: (nullable): where the playlist comes from; NULL or a file: it
 *   may name files and http(s); http(s): only http(s), and no host with a
 *   loopback, private or link-local address but the playlist's own, which the
 *   application named
 * @schemes: (nullable): comma-separated; replaces the schemes of the default, so
 *   that "file" keeps a local playlist off the network. It never lets a
 *   playlist from the network name files
 * @root: (nullable): a folder; files have to lie in it, symbolic links resolved
 */
RemixPolicy *remix_policy_new (const gchar *playlist_uri, const gchar *schemes,
    const gchar *root);
void remix_policy_free (RemixPolicy *self);

/**
 * remix_policy_pin_host:
 *
 * The playlist was got from a public address. From now on its own host may have no
 * private one either: whose name server answers with one later (DNS rebinding)
 * would have us ask what only this machine can reach. Any thread.
 */
void remix_policy_pin_host (RemixPolicy *self);

/** Judges scheme, host by name, and path as far as they can be without I/O. REMIX_ERROR_REFUSED names @uri and the rule. */
gboolean remix_policy_check_uri (const RemixPolicy *self, const gchar *uri,
    GError **error);
/** Judges the address that a connection for @uri was made to. */
gboolean remix_policy_check_address (const RemixPolicy *self, const gchar *uri,
    GInetAddress *address, GError **error);
/** Judges a file that was opened; @real_path is absolute and free of links. */
gboolean remix_policy_check_path (const RemixPolicy *self, const gchar *uri,
    const gchar *real_path, GError **error);

/** Whether @address is one that anybody on the internet could name: not loopback, private, link-local, multicast, shared, reserved or an IPv6 form of such. */
gboolean remix_address_is_public (GInetAddress *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemixPolicy, remix_policy_free)

G_END_DECLS
