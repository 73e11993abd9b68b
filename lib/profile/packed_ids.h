/*
 * packed_ids.h: the location ids of a sample, as they lie packed in its message.
 *
 * They are most of a profile's bytes, so what reads them knows only ids of up to
 * three bytes, and stops at whatever else there is.
 */
#ifndef PF_PROFILE_PACKED_IDS_H
#define PF_PROFILE_PACKED_IDS_H

#include "profile/fields.h"

/*
 * Takes the ids that come first and lie in [1, count], as positions (id - 1);
 * `to` has room for one a byte. Returns the end of those written.
 */
static inline uint32_t *
pf_packed_ids_take(struct pf_message *ids, uint32_t count, uint32_t *to)
{
	const uint8_t *at = ids->at, *end = ids->end;

	/*
	 * Branches on the length cost less here than computing without them: the
	 * lengths of neighbours are alike.
	 */
	while (end - at >= 3) {
		uint32_t id = at[0], size = 1;

		if (id >= 0x80) {
			id = (id & 0x7f) | (uint32_t)at[1] << 7;
			size = 2;
			if (id >= 0x4000) {
				if (at[2] >= 0x80)
					break;
				id = (id & 0x3fff) | (uint32_t)at[2] << 14;
				size = 3;
			}
		}
		if (id - 1 >= count)
			break;
		*to++ = id - 1;
		at += size;
	}
	ids->at = at;
	return to;
}

/*
 * Whether all ids lie in [1, most], by a look at 16 bytes at a time; false says
 * that one may not. There must be two bytes in front of them that can be looked
 * at, the last of them below 0x80: a packed field's key and length.
 */
bool pf_packed_ids_within(const struct pf_message *ids, uint64_t most);

#endif
