/*
 * builtins.h: the functions that templates may call.
 *
 * One table, sorted by name, so that the compiler finds a function by bisection
 * and the machine calls it by position. A builtin fails by setting c->failure.
 */
#ifndef FOLIO_BUILTINS_H
#define FOLIO_BUILTINS_H

#include "value.h"

struct call {
	struct arena *arena;
	struct text *scratch; /* cleared by whoever begins a text in it */
	const struct value *arguments;
	unsigned count;
	const char *failure; /* a phrase */
};

struct builtin {
	struct slice name;
	unsigned least, most; /* arguments */
	struct value (*run)(struct call *c);
};

extern const struct builtin builtins[];
/* The builtin of this name and its position, or NULL. */
const struct builtin *builtin_find(struct slice name, uint32_t *index);

struct value call_fail(struct call *c, const char *what);
/* Argument i as text; numbers are printed into the arena. */
struct slice call_text(struct call *c, unsigned i);
/* Argument i as a whole number, or `otherwise` when it wasn't given. */
int64_t call_integer(struct call *c, unsigned i, int64_t otherwise);
/* Argument i as a list, or NULL and a failure; what is missing is an empty list. */
const struct list *call_list(struct call *c, unsigned i);
struct value call_list_value(struct call *c, struct list *list);
/* c->scratch as a string, or as HTML, in the arena. */
struct value call_scratch(struct call *c, enum value_kind kind);

/* Where `needle` begins in `hay`, or SIZE_MAX. */
size_t builtin_find_text(struct slice hay, struct slice needle);

/* builtins_text.c */
struct value run_capitalize(struct call *c);
struct value run_contains(struct call *c);
struct value run_ends_with(struct call *c);
struct value run_escape(struct call *c);
struct value run_lower(struct call *c);
struct value run_pad(struct call *c);
struct value run_plural(struct call *c);
struct value run_replace(struct call *c);
struct value run_safe(struct call *c);
struct value run_slug(struct call *c);
struct value run_split(struct call *c);
struct value run_starts_with(struct call *c);
struct value run_title(struct call *c);
struct value run_trim(struct call *c);
struct value run_truncate(struct call *c);
struct value run_upper(struct call *c);
struct value run_url(struct call *c);
struct value run_words(struct call *c);
struct value run_wrap(struct call *c);

/* builtins_list.c */
struct value run_first(struct call *c);
struct value run_group(struct call *c);
struct value run_join(struct call *c);
struct value run_keys(struct call *c);
struct value run_last(struct call *c);
struct value run_length(struct call *c);
struct value run_pluck(struct call *c);
struct value run_range(struct call *c);
struct value run_reverse(struct call *c);
struct value run_slice(struct call *c);
struct value run_sort(struct call *c);
struct value run_unique(struct call *c);
struct value run_where(struct call *c);

/* builtins_number.c */
struct value run_abs(struct call *c);
struct value run_date(struct call *c);
struct value run_default(struct call *c);
struct value run_fixed(struct call *c);
struct value run_hash(struct call *c);
struct value run_json(struct call *c);
struct value run_markup(struct call *c);
struct value run_max(struct call *c);
struct value run_min(struct call *c);
struct value run_round(struct call *c);
struct value run_sum(struct call *c);

#endif
