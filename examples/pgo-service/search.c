/* search.c: see search.h. Words hash into an open table; each has a list of (document, count). */
#include "search.h"

#include <math.h>
#include <stdlib.h>

#include "hash.h"

#define FIRST_SLOTS 4096
#define MOST_WORDS 1000000

struct posting {
	uint32_t document, count;
};

struct word {
	struct stem stem;
	struct posting *postings; /* by document, rising */
	uint32_t count, capacity;
};

struct search {
	struct word *words;
	size_t word_count, word_capacity;
	uint32_t *slots; /* position in words + 1 */
	size_t slot_count;
	size_t documents;
	uint32_t *lengths; /* words of every document */
	uint64_t total_length;
};

struct search *
search_new(size_t documents)
{
	struct search *search = calloc(1, sizeof *search);

	if (!search)
		return NULL;
	search->documents = documents;
	search->slot_count = FIRST_SLOTS;
	search->slots = calloc(search->slot_count, sizeof *search->slots);
	search->lengths = calloc(documents + 1, sizeof *search->lengths);
	if (!search->slots || !search->lengths) {
		search_free(search);
		return NULL;
	}
	return search;
}

void
search_free(struct search *search)
{
	if (!search)
		return;
	for (size_t i = 0; i < search->word_count; i++)
		free(search->words[i].postings);
	free(search->words);
	free(search->slots);
	free(search->lengths);
	free(search);
}

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
	size_t left = stem->size - size, added = strlen(instead);
	bool vowel = false;

	if (stem->size < size + least || memcmp(stem->letters + left, ending, size))
		return false;
	for (size_t i = 0; i < left && !vowel; i++)
		vowel = is_vowel(stem, i);
	if (!vowel)
		return false;
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
		const char *ending, *instead;
		size_t least;
	} rules[] = {{"ational", "ate", 3}, {"ization", "ize", 3}, {"fulness", "ful", 3},
	    {"ation", "ate", 4}, {"ments", "", 4}, {"ment", "", 4}, {"ness", "", 3},
	    {"ously", "ous", 3}, {"able", "", 4}, {"ally", "al", 3}, {"ity", "", 4}, {"ly", "", 4},
	    {"er", "", 4}, {"e", "", 4}};
	bool cut;

	if (!replace_ending(stem, "sses", 4, "ss", 1) && !replace_ending(stem, "ies", 3, "y", 2) &&
	    stem->size > 2 && stem->letters[stem->size - 2] != 's' &&
	    stem->letters[stem->size - 2] != 'u')
		replace_ending(stem, "s", 1, "", 3);
	cut = replace_ending(stem, "ing", 3, "", 3) || replace_ending(stem, "ed", 2, "", 3);
	if (cut && ends_doubled(stem))
		stem->size--;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (replace_ending(stem, rules[i].ending, strlen(rules[i].ending), rules[i].instead,
			rules[i].least))
			break;
	}
}

/* The next word from *at on, or false at the end. [*from, *at) is the word as it stands. */
static bool
next_word(const char **at, const char *end, const char **from, struct stem *stem)
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

static bool
stems_equal(const struct stem *a, const struct stem *b)
{
	return a->hash == b->hash && a->size == b->size && !memcmp(a->letters, b->letters, a->size);
}

static uint32_t *
find_slot(const struct search *search, const struct stem *stem)
{
	size_t at = stem->hash & (search->slot_count - 1);

	while (search->slots[at] && !stems_equal(&search->words[search->slots[at] - 1].stem, stem))
		at = (at + 1) & (search->slot_count - 1);
	return &search->slots[at];
}

static bool
grow_slots(struct search *search)
{
	uint32_t *old = search->slots;

	search->slots = calloc(search->slot_count * 2, sizeof *search->slots);
	if (!search->slots) {
		search->slots = old;
		return false;
	}
	free(old);
	search->slot_count *= 2;
	for (size_t i = 0; i < search->word_count; i++)
		*find_slot(search, &search->words[i].stem) = (uint32_t)i + 1;
	return true;
}

static struct word *
add_word(struct search *search, const struct stem *stem)
{
	uint32_t *slot = find_slot(search, stem);

	if (*slot)
		return &search->words[*slot - 1];
	if (search->word_count == search->word_capacity) {
		size_t capacity = search->word_capacity ? search->word_capacity * 2 : 1024;
		struct word *words;

		if (capacity > MOST_WORDS)
			return NULL;
		words = realloc(search->words, capacity * sizeof *words);
		if (!words)
			return NULL;
		search->words = words;
		search->word_capacity = capacity;
	}
	search->words[search->word_count++] = (struct word){.stem = *stem};
	*slot = (uint32_t)search->word_count;
	if (search->word_count * 2 > search->slot_count && !grow_slots(search))
		return NULL;
	return &search->words[search->word_count - 1];
}

static bool
add_posting(struct word *word, uint32_t document)
{
	if (word->count && word->postings[word->count - 1].document == document) {
		word->postings[word->count - 1].count++;
		return true;
	}
	if (word->count == word->capacity) {
		uint32_t capacity = word->capacity ? word->capacity * 2 : 4;
		struct posting *postings = realloc(word->postings, capacity * sizeof *postings);

		if (!postings)
			return false;
		word->postings = postings;
		word->capacity = capacity;
	}
	word->postings[word->count++] = (struct posting){document, 1};
	return true;
}

static bool
add_text(struct search *search, size_t id, struct slice text)
{
	const char *at = text.at, *from;
	struct stem stem;

	while (next_word(&at, text.at + text.size, &from, &stem)) {
		struct word *word = add_word(search, &stem);

		if (!word || !add_posting(word, (uint32_t)id))
			return false;
		search->lengths[id]++;
		search->total_length++;
	}
	return true;
}

bool
search_add(struct search *search, size_t id, struct value v)
{
	bool done = true;

	if (value_is_text(v))
		return add_text(search, id, value_slice(v));
	if (v.kind == VALUE_LIST) {
		for (size_t i = 0; done && i < v.list->count; i++)
			done = search_add(search, id, v.list->items[i]);
	} else if (v.kind == VALUE_MAP) {
		for (uint32_t i = 0; done && i < v.map->count; i++)
			done = search_add(search, id, v.map->entries[i].value);
	}
	return done;
}

void
query_parse(struct query *query, struct slice text)
{
	const char *at = text.at, *from;

	query->count = 0;
	while (query->count < MOST_QUERY_WORDS &&
	       next_word(&at, text.at + text.size, &from, &query->words[query->count]))
		query->count++;
}

/* BM25 with its usual constants. */
void
search_score(const struct search *search, const struct query *query, double *scores)
{
	double mean =
	    search->documents ? (double)search->total_length / (double)search->documents : 1;

	for (size_t i = 0; i < search->documents; i++)
		scores[i] = 0;
	for (unsigned i = 0; i < query->count; i++) {
		uint32_t slot = *find_slot(search, &query->words[i]);
		const struct word *word;
		double rarity;

		if (!slot)
			continue;
		word = &search->words[slot - 1];
		rarity =
		    log(1 + ((double)search->documents - word->count + 0.5) / (word->count + 0.5));
		for (uint32_t j = 0; j < word->count; j++) {
			const struct posting *posting = &word->postings[j];
			double length = search->lengths[posting->document] / mean;

			scores[posting->document] +=
			    rarity * posting->count * 2.2 /
			    (posting->count + 1.2 * (0.25 + 0.75 * length));
		}
	}
}

static bool
query_has(const struct query *query, const struct stem *stem)
{
	for (unsigned i = 0; i < query->count; i++) {
		if (stems_equal(&query->words[i], stem))
			return true;
	}
	return false;
}

/* Where the `width` bytes begin that hold most matches; two recent matches make a pair. */
static const char *
densest(const struct query *query, struct slice text, size_t width)
{
	const char *at = text.at, *end = text.at + text.size, *from, *best = text.at;
	const char *recent[MOST_QUERY_WORDS] = {0};
	unsigned count = 0, most = 0;
	struct stem stem;

	while (next_word(&at, end, &from, &stem)) {
		unsigned near = 0;

		if (!query_has(query, &stem))
			continue;
		recent[count++ % MOST_QUERY_WORDS] = from;
		for (unsigned i = 0; i < MOST_QUERY_WORDS; i++)
			near += recent[i] && (size_t)(from - recent[i]) < width / 2;
		if (near > most) {
			most = near;
			best = (size_t)(from - text.at) > width / 3 ? from - width / 3 : text.at;
		}
	}
	return best;
}

void
search_snippet(const struct query *query, struct slice text, size_t width, struct text *out)
{
	const char *at = densest(query, text, width), *end = text.at + text.size, *from, *put;
	struct stem stem;

	while (at > text.at && is_kind(at[-1], IS_WORD))
		at--;
	if (at > text.at)
		text_string(out, "… ");
	if ((size_t)(end - at) > width) {
		end = at + width;
		while (end > at && is_kind(*end, IS_WORD))
			end--;
	}
	put = at;
	while (next_word(&at, end, &from, &stem)) {
		if (!query_has(query, &stem))
			continue;
		text_escaped(out, put, (size_t)(from - put));
		text_string(out, "<mark>");
		text_escaped(out, from, (size_t)(at - from));
		text_string(out, "</mark>");
		put = at;
	}
	text_escaped(out, put, (size_t)(end - put));
	if (end < text.at + text.size)
		text_string(out, " …");
}
