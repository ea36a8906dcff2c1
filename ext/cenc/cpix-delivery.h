/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CpixDelivery: the delivery data of a CPIX document (DASH-IF CPIX 2.4, 5.2): the
 * keys by which a recipient reads the content keys that are encrypted in it.
 */

#pragma once

#include "cenc/cpix-document.h"
#include "cenc/cpix-xml.h"

G_BEGIN_DECLS

/** Of a list: a document for a day of hourly keys has some hundreds. */
#define CPIX_MAX_ITEMS 4096

typedef struct _CpixDelivery CpixDelivery;

/**
 * cpix_delivery_new:
 * @xml: has to outlive the delivery
 * @recipient: (nullable): likewise
 * @require_mac: content keys without a MAC are refused
 */
CpixDelivery *cpix_delivery_new (CpixXml *xml, const CpixRecipient *recipient,
    gboolean require_mac);
void cpix_delivery_free (CpixDelivery *self);

/** @list: (nullable): the DeliveryDataList. CPIX_ERROR_RECIPIENT if none of it is for the recipient. */
gboolean cpix_delivery_read (CpixDelivery *self, xmlNode *list, GError **error);
/**
 * cpix_delivery_decrypt:
 * @secret: has the ValueMAC
 * @encrypted: the EncryptedValue in it
 *
 * Returns: (transfer full): the value, its MAC checked; NULL with CPIX_ERROR
 */
CpixSecret *cpix_delivery_decrypt (CpixDelivery *self, xmlNode *secret,
    xmlNode *encrypted, const guint8 *kid, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CpixDelivery, cpix_delivery_free)

G_END_DECLS
