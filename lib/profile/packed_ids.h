/*
 * packed_ids.h: the location ids of a sample, as they lie packed in its message.
 *
 * They are most of a profile's bytes, so what reads them looks at many bytes at
 * once, knows only ids of up to three, and leaves whatever else there is to be
 * read one by one. There must be two bytes in front of them that can be looked
 * at, the last of them below 0x80: a packed field's key and length.
 */
#ifndef PF_PROFILE_PACKED_IDS_H
#define PF_PROFILE_PACKED_IDS_H

#include "profile/fields.h"

/* Whether all ids lie in [1, most] and are whole and of at most three bytes. False says as well that this is not known. */
bool pf_packed_ids_within(const struct pf_message *ids, uint64_t most);

/*
 * Writes ids that are known to lie within bounds, as positions (id - 1); `to` has
 * room for one a byte. Returns the end of those written. Bytes up to `limit` can
 * be looked at.
 */
uint32_t *pf_packed_ids_take(const struct pf_message *ids, const uint8_t *limit, uint32_t *to);

#endif
