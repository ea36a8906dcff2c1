/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds protected ISO base media files for which there is a key, so that
 * autopluggers put cencdecrypt in front of the demuxer.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * CENC_TYPEFIND_MEDIA_TYPE: a protected file for which a key session has a key.
 * A media type of its own, no variant of video/quicktime: qtdemux takes all of
 * those, and a decryptor with one media type on both sides chains itself.
 */
#define CENC_TYPEFIND_MEDIA_TYPE "application/x-cenc-isobmff"

/**
 * cenc_typefind_register:
 *
 * The typefinder ranks above the one for video/quicktime, and says nothing
 * unless the file has a protected sample entry whose KID (its tenc's or a
 * pssh's) a GstCencKeySession of this process or the device's license store
 * has: all other files are found as they were without it. It takes no key,
 * starts no first play and uses no network.
 */
gboolean cenc_typefind_register (GstPlugin *plugin);

G_END_DECLS
