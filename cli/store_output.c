/* store_output.c: see store_output.h. */
#include "store_output.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "net/text.h"
#include "store/entry.h"

enum { SHORT_ID = 12, SHORT_BUILD_ID = 12 };

static void
format_time(char *text, size_t room, bool for_file_name, int64_t nanos)
{
	time_t seconds = (time_t)(nanos / 1000000000);
	struct tm tm;
	size_t size = 0;

	if (gmtime_r(&seconds, &tm))
		size = for_file_name ? strftime(text, room, "%Y%m%dT%H%M%SZ", &tm)
				     : strftime(text, room, "%Y-%m-%d %H:%M:%SZ", &tm);
	if (!size)
		snprintf(text, room, "%" PRId64, nanos);
}

static void
format_size(char *text, size_t room, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
		value /= 1024;
	snprintf(text, room, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* Labels come from services: as safe on a terminal as what a server says. */
static const char *
shown(char *room, size_t size, const char *text)
{
	return *text ? pf_text_excerpt(room, size, text, strlen(text)) : "-";
}

static void
print_row(const struct pf_store_entry *e, bool pinned)
{
	char when[32], size[32], hex[2 * PF_STORE_ID_SIZE + 1], service[64], instance[64], type[32],
	    build[64], trigger[256];

	format_time(when, sizeof when, false, e->start_nanos);
	format_size(size, sizeof size, e->size);
	pf_store_hex(hex, e->id);
	printf("%-20s  %.*s  %-16s  %-24s  %-9s  %6.1f  %7" PRIu64 "  %10s  %-*.*s  %s%s%s%s\n",
	    when, SHORT_ID, hex, shown(service, sizeof service, pf_store_service(e)),
	    shown(instance, sizeof instance, pf_store_label(e, "instance")),
	    shown(type, sizeof type, e->type), (double)e->duration_nanos * 1e-9, e->sample_count,
	    size, SHORT_BUILD_ID, SHORT_BUILD_ID, shown(build, sizeof build, e->build_id),
	    pinned ? "pinned " : "", *e->trigger ? shown(trigger, sizeof trigger, e->trigger) : "",
	    *e->reason ? ": " : "", e->reason);
}

static size_t
first_shown(const struct pf_selection *selection, size_t limit)
{
	size_t count = pf_selection_count(selection);

	return limit && limit < count ? count - limit : 0;
}

int
store_list_text(struct pf_selection *selection, size_t limit, struct pf_error *err)
{
	struct pf_store_entry e;
	size_t from = first_shown(selection, limit), count = pf_selection_count(selection);
	uint64_t bytes = 0;
	char size[32];
	int rc = 0;

	if (count)
		printf("%-20s  %-*s  %-16s  %-24s  %-9s  %6s  %7s  %10s  %-*s  %s\n", "START",
		    SHORT_ID, "ID", "SERVICE", "INSTANCE", "TYPE", "SECS", "STACKS", "SIZE",
		    SHORT_BUILD_ID, "BUILD ID", "WHY");
	for (size_t i = 0; !rc && i < count; i++) {
		rc = pf_selection_entry(selection, i, &e, err);
		if (rc)
			break;
		bytes += e.size;
		if (i >= from)
			print_row(&e, pf_selection_pinned(selection, i));
	}
	format_size(size, sizeof size, bytes);
	if (!rc)
		fprintf(stderr, "%zu profile%s, %s%s\n", count, count == 1 ? "" : "s", size,
		    from ? " (the newest are shown)" : "");
	return rc;
}

/* What is no UTF-8 can't be in JSON; the store's labels are, other strings come from profiles. */
static json_t *
text(const char *string)
{
	char safe[1024];
	json_t *value = json_string(string);

	return value ? value : json_string(shown(safe, sizeof safe, string));
}

json_t *
store_entry_json(const struct pf_store_entry *e, bool pinned, const char *store)
{
	char hex[2 * PF_STORE_ID_SIZE + 1];
	json_t *labels = json_object(), *o;
	int bad = 0;

	pf_store_hex(hex, e->id);
	for (size_t i = 0; labels && i < e->label_count; i++)
		bad |= json_object_set_new(labels, e->labels[i].name, text(e->labels[i].value));
	o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:b, s:o, "
		      "s:o}",
	    "id", hex, "service", text(pf_store_service(e)), "instance",
	    text(pf_store_label(e, "instance")), "type", text(e->type), "build_id",
	    text(e->build_id), "start_nanos", (json_int_t)e->start_nanos, "duration_nanos",
	    (json_int_t)e->duration_nanos, "collected_nanos", (json_int_t)e->collected_nanos,
	    "bytes", (json_int_t)e->size, "samples", (json_int_t)e->sample_count, "trigger",
	    text(e->trigger), "reason", text(e->reason), "pinned", pinned, "store", text(store),
	    "labels", labels);
	if (!bad && o)
		return o;
	json_decref(o);
	return NULL;
}

int
store_print_json(const char *verb, json_t *rest, struct pf_error *err)
{
	json_t *root = json_pack("{s:s, s:s}", "schema", "profuse.store.v1", "verb", verb);
	int bad = !root || !rest || json_object_update(root, rest);

	json_decref(rest);
	bad = bad || json_dumpf(root, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;
	json_decref(root);
	return bad ? pf_error_set(err, PF_EIO, "cannot write the result to standard output") : 0;
}

int
store_list_json(struct pf_selection *selection, size_t limit, struct pf_error *err)
{
	json_t *profiles = json_array();
	struct pf_store_entry e;
	size_t count = pf_selection_count(selection);

	for (size_t i = first_shown(selection, limit); i < count; i++) {
		int rc = pf_selection_entry(selection, i, &e, err);
		if (!rc && json_array_append_new(
			       profiles, store_entry_json(&e, pf_selection_pinned(selection, i),
					     pf_store_path(pf_selection_store(selection, i)))))
			rc = pf_error_nomem(err);
		if (rc) {
			json_decref(profiles);
			return rc;
		}
	}
	return store_print_json("list",
	    json_pack("{s:I, s:I, s:I, s:o}", "count", (json_int_t)count, "left_out_same",
		(json_int_t)pf_selection_same(selection), "left_out_overlapping",
		(json_int_t)pf_selection_overlapping(selection), "profiles", profiles),
	    err);
}

/* Letters, digits, dots (not first) and dashes stay; nothing a service says leads anywhere. */
static void
add_word(char *name, size_t room, const char *word)
{
	size_t n = strlen(name), begin = n;

	for (; *word && n + 1 < room && n - begin < 48; word++) {
		char c = *word;
		bool plain = isalnum((unsigned char)c) || c == '_' || (c == '.' && n > begin);
		name[n++] = plain ? c : '-';
	}
	name[n] = '\0';
}

void
store_file_name(char *name, size_t room, const struct pf_store_entry *e)
{
	char when[32], hex[2 * PF_STORE_ID_SIZE + 1];
	size_t n;

	name[0] = '\0';
	format_time(when, sizeof when, true, e->start_nanos);
	pf_store_hex(hex, e->id);
	add_word(name, room, pf_store_service(e));
	for (int i = 0; i < 2; i++) {
		n = strlen(name);
		snprintf(name + n, room - n, "%s", n ? "-" : "");
		add_word(name, room, i ? pf_store_label(e, "instance") : e->type);
	}
	n = strlen(name);
	snprintf(name + n, room - n, "-%s-%.*s.pb.gz", when, SHORT_ID, hex);
}
