/* query.c: see query.h. Values are bound, never written into the text. */
#include "store/query.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "core/error.h"

enum { QUERY_MAX = 1 << 20 };

/* Both passes walk the filter alike: the first writes the text, the second binds values in that order. */
struct query {
	struct pf_buffer text;
	sqlite3_stmt *statement; /* NULL in the first pass */
	int bound;
	bool bad;
};

static void
text(struct query *q, const char *sql)
{
	if (!q->statement)
		pf_buffer_string(&q->text, sql);
}

static void
value(struct query *q, const char *bytes, size_t size)
{
	text(q, "?");
	if (q->statement &&
	    sqlite3_bind_text(q->statement, ++q->bound, bytes, (int)size, SQLITE_TRANSIENT))
		q->bad = true;
}

static void
number(struct query *q, int64_t n)
{
	text(q, "?");
	if (q->statement && sqlite3_bind_int64(q->statement, ++q->bound, n))
		q->bad = true;
}

static void
any_of(struct query *q, const char *column, const struct pf_store_any *any)
{
	if (!any->count)
		return;
	text(q, " AND ");
	text(q, column);
	text(q, " IN (");
	for (size_t i = 0; i < any->count; i++) {
		text(q, i ? ", " : "");
		value(q, any->items[i], strlen(any->items[i]));
	}
	text(q, ")");
}

static void
any_beginning(struct query *q, const char *column, const struct pf_store_any *any)
{
	if (!any->count)
		return;
	text(q, " AND (0");
	for (size_t i = 0; i < any->count; i++) {
		text(q, " OR substr(lower(");
		text(q, column);
		text(q, "), 1, ");
		number(q, (int64_t)strlen(any->items[i]));
		text(q, ") = lower(");
		value(q, any->items[i], strlen(any->items[i]));
		text(q, ")");
	}
	text(q, ")");
}

static int
nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a') + 10;
}

/* Ids that begin so lie between the beginning filled up with zeros and with ones. */
static void
id_range(struct query *q, const char *beginning)
{
	uint8_t low[PF_STORE_ID_SIZE], high[PF_STORE_ID_SIZE];

	memset(low, 0, sizeof low);
	memset(high, 255, sizeof high);
	for (size_t i = 0; beginning[i]; i++) {
		unsigned digit = (unsigned)nibble(beginning[i]), shift = i % 2 ? 0 : 4;
		low[i / 2] = (uint8_t)(low[i / 2] | digit << shift);
		high[i / 2] = (uint8_t)(high[i / 2] & ~((15u ^ digit) << shift));
	}
	text(q, " OR sha BETWEEN ? AND ?");
	if (!q->statement)
		return;
	q->bad |= sqlite3_bind_blob(q->statement, ++q->bound, low, sizeof low, SQLITE_TRANSIENT) !=
		  SQLITE_OK;
	q->bad |= sqlite3_bind_blob(
		      q->statement, ++q->bound, high, sizeof high, SQLITE_TRANSIENT) != SQLITE_OK;
}

static void
ids(struct query *q, const struct pf_store_any *any)
{
	if (!any->count)
		return;
	text(q, " AND (0");
	for (size_t i = 0; i < any->count; i++)
		id_range(q, any->items[i]);
	text(q, ")");
}

/* Whether an earlier label of the list has the same name. */
static bool
name_seen(const struct pf_store_any *any, size_t i, size_t name)
{
	for (size_t k = 0; k < i; k++) {
		if (strncmp(any->items[k], any->items[i], name + 1) == 0)
			return true;
	}
	return false;
}

static void
label_value(struct query *q, const char *label, size_t name)
{
	text(q, "json_extract(labels, '$.\"' || ");
	value(q, label, name);
	text(q, " || '\"')");
}

/* All values given for one name: any of them. */
static void
one_label(struct query *q, const struct pf_store_any *any, size_t i, size_t name, bool or_none)
{
	text(q, " AND (coalesce(");
	label_value(q, any->items[i], name);
	text(q, ", '') IN (");
	for (size_t k = i, n = 0; k < any->count; k++) {
		if (strncmp(any->items[k], any->items[i], name + 1) != 0)
			continue;
		text(q, n++ ? ", " : "");
		value(q, any->items[k] + name + 1, strlen(any->items[k] + name + 1));
	}
	text(q, ")");
	if (or_none) {
		text(q, " OR ");
		label_value(q, any->items[i], name);
		text(q, " IS NULL");
	}
	text(q, ")");
}

static void
labels(struct query *q, const struct pf_store_filter *f)
{
	for (size_t i = 0; i < f->labels.count; i++) {
		size_t name = strcspn(f->labels.items[i], "=");
		if (!name_seen(&f->labels, i, name))
			one_label(q, &f->labels, i, name, f->labels_of_samples);
	}
}

static void
write_query(struct query *q, const struct pf_store_filter *f)
{
	text(q, "SELECT profile.id, sha, type, build_id, trigger_name, reason, start, duration,"
		" collected, size, samples, file.path, offset, labels, service, instance"
		" FROM profile JOIN target ON target.id = target JOIN file ON file.id = file"
		" WHERE 1");
	any_of(q, "service", &f->services);
	any_of(q, "instance", &f->instances);
	any_of(q, "version", &f->versions);
	any_of(q, "type", &f->types);
	any_of(q, "trigger_name", &f->triggers);
	any_beginning(q, "build_id", &f->build_ids);
	ids(q, &f->ids);
	labels(q, f);
	if (f->triggered)
		text(q, " AND trigger_name <> ''");
	if (f->since_nanos) {
		text(q, " AND start >= ");
		number(q, f->since_nanos);
	}
	if (f->until_nanos) {
		text(q, " AND start < ");
		number(q, f->until_nanos);
	}
	if (f->trace) {
		text(q, " AND EXISTS (SELECT 1 FROM trace WHERE trace.profile = profile.id"
			" AND pf_has_trace(ids, ");
		number(q, (int64_t)pf_store_trace_hash(f->trace));
		text(q, "))");
	}
}

static int
check(const struct pf_store_filter *f, struct pf_error *err)
{
	for (size_t i = 0; i < f->labels.count; i++) {
		const char *label = f->labels.items[i];
		size_t name = strcspn(label, "=");
		if (!label[name] || !name)
			return pf_error_set(
			    err, PF_EUSAGE, "--label %s: expected NAME=VALUE", label);
		if (memchr(label, '"', name))
			return pf_error_set(
			    err, PF_EUSAGE, "--label %s: no label has such a name", label);
	}
	for (size_t i = 0; i < f->ids.count; i++) {
		size_t size = strlen(f->ids.items[i]);
		if (size < 4 || size > (size_t)2 * PF_STORE_ID_SIZE ||
		    strspn(f->ids.items[i], "0123456789abcdefABCDEF") != size)
			return pf_error_set(err, PF_EUSAGE,
			    "%s: an id is hexadecimal, at least its first 4 digits",
			    f->ids.items[i]);
	}
	return 0;
}

int
pf_query_prepare(struct pf_catalog *c, const struct pf_store_filter *f, sqlite3_stmt **statement,
    struct pf_error *err)
{
	struct query q = {0};
	int rc = check(f, err);

	*statement = NULL;
	if (rc)
		return rc;
	pf_buffer_init(&q.text, QUERY_MAX);
	write_query(&q, f);
	pf_buffer_byte(&q.text, 0);
	rc = pf_buffer_check(&q.text, err);
	if (!rc)
		rc = pf_catalog_prepare(c, (const char *)q.text.bytes, &q.statement, err);
	if (!rc) {
		write_query(&q, f);
		if (q.bad)
			rc = pf_error_nomem(err);
	}
	if (rc)
		sqlite3_finalize(q.statement);
	else
		*statement = q.statement;
	pf_buffer_release(&q.text);
	return rc;
}
