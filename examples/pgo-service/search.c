/* search.c: see search.h. Words hash into an open table; each has a list of its documents. */
#include "search.h"

#include <math.h>
#include <stdlib.h>

#include "stem.h"

#define FIRST_SLOTS 4096
#define MOST_WORDS 1000000
#define NO_PLACE UINT32_MAX

struct posting {
	uint32_t document, count;
	uint32_t place; /* where the word first is in the document's main text, or NO_PLACE */
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
add_posting(struct word *word, uint32_t document, uint32_t place)
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
	word->postings[word->count++] = (struct posting){document, 1, place};
	return true;
}

static bool
add_text(struct search *search, size_t id, struct slice text, bool is_main)
{
	const char *at = text.at, *from;
	struct stem stem;

	while (stem_next(&at, text.at + text.size, &from, &stem)) {
		struct word *word = add_word(search, &stem);

		if (!word || !add_posting(word, (uint32_t)id,
				 is_main ? (uint32_t)(from - text.at) : NO_PLACE))
			return false;
		search->lengths[id]++;
		search->total_length++;
	}
	return true;
}

static bool
add_value(struct search *search, size_t id, struct value v, struct slice main)
{
	bool done = true;

	if (value_is_text(v))
		return v.string == main.at || add_text(search, id, value_slice(v), false);
	if (v.kind == VALUE_LIST) {
		for (size_t i = 0; done && i < v.list->count; i++)
			done = add_value(search, id, v.list->items[i], main);
	} else if (v.kind == VALUE_MAP) {
		for (uint32_t i = 0; done && i < v.map->count; i++)
			done = add_value(search, id, v.map->entries[i].value, main);
	}
	return done;
}

bool
search_add(struct search *search, size_t id, struct value v, struct slice main)
{
	return add_text(search, id, main, true) && add_value(search, id, v, main);
}

void
query_parse(struct query *query, struct slice text)
{
	const char *at = text.at, *from;

	query->count = 0;
	while (query->count < MOST_QUERY_WORDS &&
	       stem_next(&at, text.at + text.size, &from, &query->words[query->count]))
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

/* Where a word first is in a document's main text, or NO_PLACE. */
static uint32_t
first_place(const struct search *search, const struct stem *stem, size_t id)
{
	uint32_t slot = *find_slot(search, stem), low = 0, high;
	const struct word *word;

	if (!slot)
		return NO_PLACE;
	word = &search->words[slot - 1];
	high = word->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (word->postings[middle].document == id)
			return word->postings[middle].place;
		if (word->postings[middle].document < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_PLACE;
}

/* The place of a query word that has most others of them behind it within `width` bytes. */
static size_t
densest(const struct search *search, const struct query *query, size_t id, size_t width)
{
	uint32_t places[MOST_QUERY_WORDS];
	unsigned most = 0;
	size_t best = 0;

	for (unsigned i = 0; i < query->count; i++)
		places[i] = first_place(search, &query->words[i], id);
	for (unsigned i = 0; i < query->count; i++) {
		unsigned near = 0;

		if (places[i] == NO_PLACE)
			continue;
		for (unsigned j = 0; j < query->count; j++)
			near += places[j] != NO_PLACE && places[j] >= places[i] &&
				places[j] - places[i] < width;
		if (near > most) {
			most = near;
			best = places[i];
		}
	}
	return best;
}

void
search_snippet(const struct search *search, const struct query *query, size_t id, struct slice text,
    size_t width, struct text *out)
{
	const char *at = text.at + densest(search, query, id, width), *end = text.at + text.size;
	const char *from, *put;
	struct stem stem;

	at = (size_t)(at - text.at) > width / 3 ? at - width / 3 : text.at;
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
	while (stem_next(&at, end, &from, &stem)) {
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
