/* plainer.c: see plainer.h. What is set is told by names, whose words are divided by commas, along a dial by blanks. */
#include "tuner/plainer.h"

#include <math.h>
#include <string.h>

/* By so many standard deviations a setting seems so much worse than another that it is not tried. */
static const double sure = 1;

/* Whether a word is among others, which are divided by `between`. */
static bool
has_word(const char *words, const char *word, size_t size, const char *between)
{
	for (const char *at = words; at;
	    at = strstr(at, between), at = at ? at + strlen(between) : NULL) {
		if (strncmp(at, word, size) == 0 &&
		    (!at[size] || strncmp(at + size, between, strlen(between)) == 0))
			return true;
	}
	return false;
}

/* What follows a name's first word, which is the allocator, or the dial. */
static const char *
words_of(const struct pf_setting *s)
{
	const char *blank = strchr(s->name, ' ');

	return blank ? blank + 1 : "";
}

static bool
is_plainer(const struct pf_setting *plain, const struct pf_setting *other)
{
	const char *between = plain->dial > 0 ? " " : ", ", *words = words_of(plain);
	size_t first = strcspn(plain->name, " ");

	if (strlen(plain->name) >= strlen(other->name) || plain->dial != other->dial ||
	    strcspn(other->name, " ") != first || strncmp(plain->name, other->name, first) != 0)
		return false;
	while (*words) {
		const char *end = strstr(words, between);
		size_t size = end ? (size_t)(end - words) : strlen(words);

		if (!has_word(words_of(other), words, size, between))
			return false;
		words += size + (end ? strlen(between) : 0);
	}
	return true;
}

size_t
pf_search_plainer(const struct pf_search *s, size_t trial)
{
	const struct pf_trial *other = &s->trials[trial];
	size_t best = 0;

	for (size_t i = 1; i < s->count; i++) {
		const struct pf_trial *t = &s->trials[i];

		if (i != trial && !t->failed && t->runs && !t->capped && !t->validated &&
		    t->rank < s->trials[0].rank && is_plainer(&t->setting, &other->setting) &&
		    t->rank - other->rank < sure * hypot(t->doubt, other->doubt) &&
		    (!best || t->rank < s->trials[best].rank))
			best = i;
	}
	return best;
}
