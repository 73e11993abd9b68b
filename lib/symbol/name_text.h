/* name_text.h: a short name as it is written, of any scheme, into the room that there is. */
#ifndef PF_SYMBOL_NAME_TEXT_H
#define PF_SYMBOL_NAME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct pf_name_text {
	char *out; /* without an ending zero, for which there is room */
	size_t size, room;
	bool failed; /* there was no room for all of it */
};

static inline bool
pf_name_put(struct pf_name_text *t, const char *text, size_t size)
{
	if (t->failed || size >= t->room - t->size) {
		t->failed = true;
		return false;
	}
	memcpy(t->out + t->size, text, size);
	t->size += size;
	return true;
}

#endif
