/* expire.c: see expire.h. */
#include "store/expire.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* Profiles of one type, those that triggers asked for apart from the others. */
struct class
{
	char *type; /* owned */
	bool triggered;
	uint64_t bytes;
	size_t rule;
	sqlite3_stmt *oldest; /* the class from its old end on; NULL: not opened */
	bool row;             /* `oldest` stands on one */
};

struct classes {
	struct class *items; /* owned */
	size_t count, capacity;
};

static bool
in_class(const struct pf_store_rule *rule, const struct class *class)
{
	if (rule->triggered && !class->triggered)
		return false;
	for (size_t i = 0; i < rule->types.count; i++) {
		if (strcmp(rule->types.items[i], class->type) == 0)
			return true;
	}
	return rule->types.count == 0;
}

static int
add_class(struct classes *all, sqlite3_stmt *q, const struct pf_store_rule *rules, size_t count,
    struct pf_error *err)
{
	int rc = PF_GROW(all->items, all->capacity, all->count + 1, err);
	struct class *class;

	if (rc)
		return rc;
	class = &all->items[all->count];
	*class = (struct class){.triggered = sqlite3_column_int(q, 1) != 0,
	    .bytes = (uint64_t)sqlite3_column_int64(q, 2)};
	rc = pf_copy_string(&class->type, pf_catalog_text(q, 0), err);
	if (rc)
		return rc;
	while (class->rule < count && !in_class(&rules[class->rule], class))
		class->rule++;
	all->count++;
	return 0;
}

static int
load_classes(struct classes *all, struct pf_catalog *c, const struct pf_store_rule *rules,
    size_t count, struct pf_error *err)
{
	sqlite3_stmt *q;
	bool row = true;
	int rc = pf_catalog_prepare(
	    c, "SELECT type, triggered, bytes FROM class WHERE profiles > 0", &q, err);

	while (!rc && row) {
		rc = pf_catalog_step(c, q, &row, err);
		if (!rc && row)
			rc = add_class(all, q, rules, count, err);
	}
	sqlite3_finalize(q);
	return rc;
}

static int
open_class(struct class *class, struct pf_catalog *c, struct pf_error *err)
{
	int rc = pf_catalog_prepare(c,
	    PF_EXPIRE_COLUMNS " WHERE type = ?1 AND (trigger_name <> '') = ?2"
			      " ORDER BY collected, id",
	    &class->oldest, err);

	if (rc)
		return rc;
	sqlite3_bind_text(class->oldest, 1, class->type, -1, SQLITE_STATIC);
	sqlite3_bind_int(class->oldest, 2, class->triggered);
	return pf_catalog_step(c, class->oldest, &class->row, err);
}

static bool
is_older(sqlite3_stmt *a, sqlite3_stmt *b)
{
	int64_t x = sqlite3_column_int64(a, PF_EXPIRE_COLLECTED),
		y = sqlite3_column_int64(b, PF_EXPIRE_COLLECTED);

	return x != y ? x < y
		      : sqlite3_column_int64(a, PF_EXPIRE_ROW) <
			    sqlite3_column_int64(b, PF_EXPIRE_ROW);
}

/* The class of the rule whose next row is the oldest; NULL when there is none left. */
static struct class *
oldest_of(struct classes *all, size_t rule)
{
	struct class *oldest = NULL;

	for (struct class *class = all->items; class < all->items + all->count; class ++) {
		if (class->rule == rule && class->row &&
		    (!oldest || is_older(class->oldest, oldest->oldest)))
			oldest = class;
	}
	return oldest;
}

/* Of what belongs to a rule, from the old end on: `left` is how much it and everything younger take. */
static int
expire_rule(struct classes *all, struct pf_catalog *c, const struct pf_store_rule *rule,
    size_t number, int64_t now, int (*each)(void *data, sqlite3_stmt *row), void *data,
    struct pf_error *err)
{
	struct class *class;
	uint64_t left = 0;
	int rc = 0;

	for (size_t i = 0; i < all->count; i++)
		left += all->items[i].rule == number ? all->items[i].bytes : 0;
	if (!(rule->max_age > 0) && !(rule->max_bytes && left > rule->max_bytes))
		return 0;
	for (size_t i = 0; !rc && i < all->count; i++) {
		if (all->items[i].rule == number)
			rc = open_class(&all->items[i], c, err);
	}
	while (!rc && (class = oldest_of(all, number))) {
		int64_t collected = sqlite3_column_int64(class->oldest, PF_EXPIRE_COLLECTED);
		double age = (double)(now - collected) * 1e-9;

		if (!(rule->max_age > 0 && age > rule->max_age) &&
		    !(rule->max_bytes && left > rule->max_bytes))
			break;
		left -= (uint64_t)sqlite3_column_int64(class->oldest, PF_EXPIRE_SIZE);
		rc = each(data, class->oldest);
		if (!rc)
			rc = pf_catalog_step(c, class->oldest, &class->row, err);
	}
	return rc;
}

int
pf_store_expired(struct pf_catalog *c, const struct pf_store_rule *rules, size_t count, int64_t now,
    int (*each)(void *data, sqlite3_stmt *row), void *data, struct pf_error *err)
{
	struct classes all = {0};
	int rc = load_classes(&all, c, rules, count, err);

	for (size_t i = 0; !rc && i < count; i++)
		rc = expire_rule(&all, c, &rules[i], i, now, each, data, err);
	for (size_t i = 0; i < all.count; i++) {
		sqlite3_finalize(all.items[i].oldest);
		free(all.items[i].type);
	}
	free(all.items);
	return rc;
}
