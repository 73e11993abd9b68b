/*
 * stem.h: words of a text, lower-cased and without their endings, so that
 * "rendering" finds "rendered".
 */
#ifndef FOLIO_STEM_H
#define FOLIO_STEM_H

#include "text.h"

#define LONGEST_WORD 32

struct stem {
	char letters[LONGEST_WORD];
	uint32_t size, hash;
};

/* The next word from *at on, or false at the end. [*from, *at) is the word as it stands. */
bool stem_next(const char **at, const char *end, const char **from, struct stem *stem);
bool stems_equal(const struct stem *a, const struct stem *b);

#endif
