/* stem.c: see stem.h. A few rules for English; other languages lose little by them. */
#include "stem.h"

#include "hash.h"

static bool
is_vowel(const struct stem *stem, size_t i)
{
	switch (stem->letters[i]) {
	case 'a':
	case 'e':
	case 'i':
	case 'o':
	case 'u':
		return true;
	case 'y':
		return i > 0 && !is_vowel(stem, i - 1);
	default:
		return false;
	}
}

/* Drops `ending` and puts `instead` there, if what stays has `least` letters, one of them a vowel. */
static bool
replace_ending(
    struct stem *stem, const char *ending, size_t size, const char *instead, size_t least)
{
	size_t left = stem->size - size, added;
	bool vowel = false;

	if (stem->size < size + least || stem->letters[stem->size - 1] != ending[size - 1] ||
	    memcmp(stem->letters + left, ending, size))
		return false;
	for (size_t i = 0; i < left && !vowel; i++)
		vowel = is_vowel(stem, i);
	if (!vowel)
		return false;
	added = strlen(instead);
	memcpy(stem->letters + left, instead, added);
	stem->size = (uint32_t)(left + added);
	return true;
}

static bool
ends_doubled(const struct stem *stem)
{
	char last = stem->letters[stem->size - 1];

	return stem->size > 3 && stem->letters[stem->size - 2] == last && !strchr("aeiouls", last);
}

/* Plurals, -ed and -ing, then a few endings of nouns and adverbs. */
static void
cut_endings(struct stem *stem)
{
	static const struct {
		const char *ending;
		uint8_t size;
		const char *instead;
		uint8_t least;
	} rules[] = {{"ational", 7, "ate", 3}, {"ization", 7, "ize", 3}, {"fulness", 7, "ful", 3},
	    {"ation", 5, "ate", 4}, {"ments", 5, "", 4}, {"ment", 4, "", 4}, {"ness", 4, "", 3},
	    {"ously", 5, "ous", 3}, {"able", 4, "", 4}, {"ally", 4, "al", 3}, {"ity", 3, "", 4},
	    {"ly", 2, "", 4}, {"er", 2, "", 4}, {"e", 1, "", 4}};
	bool cut;

	if (!replace_ending(stem, "sses", 4, "ss", 1) && !replace_ending(stem, "ies", 3, "y", 2) &&
	    stem->size > 2 && stem->letters[stem->size - 2] != 's' &&
	    stem->letters[stem->size - 2] != 'u')
		replace_ending(stem, "s", 1, "", 3);
	cut = replace_ending(stem, "ing", 3, "", 3) || replace_ending(stem, "ed", 2, "", 3);
	if (cut && ends_doubled(stem))
		stem->size--;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (replace_ending(
			stem, rules[i].ending, rules[i].size, rules[i].instead, rules[i].least))
			break;
	}
}

bool
stem_next(const char **at, const char *end, const char **from, struct stem *stem)
{
	while (*at < end && !is_kind(**at, IS_WORD))
		++*at;
	*from = *at;
	stem->size = 0;
	while (*at < end && is_kind(**at, IS_WORD)) {
		if (stem->size < LONGEST_WORD)
			stem->letters[stem->size++] = lower_of(**at);
		++*at;
	}
	if (*from == *at)
		return false;
	if (stem->size > 3 && !is_kind(stem->letters[0], IS_DIGIT))
		cut_endings(stem);
	stem->hash = hash_name(stem->letters, stem->size);
	return true;
}

bool
stems_equal(const struct stem *a, const struct stem *b)
{
	return a->hash == b->hash && a->size == b->size &&
	       bytes_equal(a->letters, b->letters, a->size);
}
