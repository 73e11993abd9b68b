/* selection.c: see selection.h. */
#include "selection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/labels.h"
#include "profile/model.h"
#include "store/traces.h"

static const char default_store[] = "profuse-store";

bool
cli_selection_asked(const struct cli_selection_settings *s)
{
	return s->stores.count || s->services.count || s->instances.count || s->types.count ||
	       s->build_ids.count || s->versions.count || s->triggers.count || s->since ||
	       s->until || s->trace || s->latest;
}

/* The paths of all stores: what was given, else the environment's, else the usual one. */
static size_t
store_paths(const struct cli_selection_settings *s, const char *const **paths, const char **one)
{
	const char *from_environment = getenv("PROFUSE_STORE");

	*one = from_environment && *from_environment ? from_environment : default_store;
	*paths = s->stores.count ? s->stores.items : one;
	return s->stores.count ? s->stores.count : 1;
}

int
cli_selection_store(const char **path, const struct cli_selection_settings *s, struct pf_error *err)
{
	const char *const *paths;
	const char *one;

	if (store_paths(s, &paths, &one) > 1)
		return pf_error_set(err, PF_EUSAGE, "one store at a time, please: --store DIR");
	*path = paths[0];
	return 0;
}

static bool
digits(const char *text, size_t count)
{
	return strspn(text, "0123456789") >= count;
}

/* A point in time, UTC; false if it is none. */
static bool
parse_date(const char *text, int64_t *nanos)
{
	struct tm tm = {0};
	const char *rest;

	if (!digits(text, 4))
		return false;
	rest = strptime(text, "%Y-%m-%d", &tm);
	if (rest && (*rest == 'T' || *rest == ' ')) {
		const char *minutes = strptime(rest + 1, "%H:%M", &tm);
		const char *seconds =
		    minutes && *minutes == ':' ? strptime(minutes + 1, "%S", &tm) : minutes;
		rest = seconds && *seconds == 'Z' ? seconds + 1 : seconds;
	}
	if (!rest || *rest)
		return false;
	*nanos = (int64_t)timegm(&tm) * 1000000000;
	return true;
}

int
cli_parse_time(const char *option, const char *text, int64_t *nanos, struct pf_error *err)
{
	struct cli_option duration = {.name = option, .kind = CLI_DURATION};
	struct timespec now;
	double ago;

	if (parse_date(text, nanos))
		return 0;
	if (cli_parse_value(&duration, text, &ago, err))
		return pf_error_set(err, PF_EUSAGE,
		    "--%s %s: expected how long ago (30m, 24h, 7d) or a time such as "
		    "2026-01-31T12:00:00Z (UTC)",
		    option, text);
	clock_gettime(CLOCK_REALTIME, &now);
	*nanos = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)(ago * 1e9);
	return 0;
}

static struct pf_store_any
any(const struct cli_list *list)
{
	return (struct pf_store_any){list->items, list->count};
}

int
cli_selection_filter(struct pf_store_filter *f, const struct cli_selection_settings *s,
    const struct cli_list *labels, struct pf_error *err)
{
	int rc = 0;

	*f = (struct pf_store_filter)PF_STORE_FILTER_INIT;
	f->services = any(&s->services);
	f->instances = any(&s->instances);
	f->types = any(&s->types);
	f->build_ids = any(&s->build_ids);
	f->versions = any(&s->versions);
	f->triggers = any(&s->triggers);
	if (labels)
		f->labels = any(labels);
	f->trace = s->trace;
	f->latest = s->latest;
	f->keep_duplicates = s->keep_duplicates;
	if (s->since)
		rc = cli_parse_time("since", s->since, &f->since_nanos, err);
	if (!rc && s->until)
		rc = cli_parse_time("until", s->until, &f->until_nanos, err);
	return rc;
}

static void
warn(void *data, const char *sentence)
{
	(void)data;
	fprintf(stderr, "profuse: warning: %s\n", sentence);
}

static int
open_stores(struct cli_selection *s, struct pf_error *err)
{
	struct pf_store_options options = PF_STORE_OPTIONS_INIT;
	const char *const *paths;
	const char *one;
	size_t count = store_paths(s->settings, &paths, &one);
	int rc = PF_CALLOC(s->stores, count, err);

	options.warn = warn;
	for (size_t i = 0; !rc && i < count; i++) {
		rc = pf_store_open(&s->stores[i], paths[i], &options, err);
		s->store_count += !rc;
	}
	return rc;
}

static void
say_left_out(const struct pf_selection *selection)
{
	uint64_t same = pf_selection_same(selection),
		 overlapping = pf_selection_overlapping(selection);

	if (same)
		fprintf(stderr,
		    "profuse: note: %" PRIu64 " profile%s left out: the same window is there "
		    "already\n",
		    same, same == 1 ? " is" : "s are");
	if (overlapping)
		fprintf(stderr,
		    "profuse: note: %" PRIu64 " profile%s left out: the window overlaps an earlier "
		    "one of the same instance\n",
		    overlapping, overlapping == 1 ? " is" : "s are");
}

int
cli_selection_open(struct cli_selection *s, const struct cli_selection_settings *settings,
    const struct cli_list *labels, struct pf_error *err)
{
	struct pf_store_filter filter;
	int rc;

	*s = (struct cli_selection){.settings = settings, .labels = labels};
	rc = cli_selection_filter(&filter, settings, labels, err);
	filter.labels_of_samples = true;
	if (!rc)
		rc = open_stores(s, err);
	if (!rc)
		rc = pf_store_select(&s->selection, s->stores, s->store_count, &filter, err);
	if (!rc)
		say_left_out(s->selection);
	return rc;
}

void
cli_selection_release(struct cli_selection *s)
{
	pf_selection_free(s->selection);
	for (size_t i = 0; i < s->store_count; i++)
		pf_store_close(s->stores[i]);
	free(s->stores);
	*s = (struct cli_selection){0};
}

int
cli_selection_check_any(const struct cli_selection *s, struct pf_error *err)
{
	if (pf_selection_count(s->selection))
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "no profile in %s%s fits; profuse store list shows what there is",
	    pf_store_path(s->stores[0]), s->store_count > 1 ? " and the other stores" : "");
}

/* Of the labels asked for, those that the target has were compared already: the rest must be the samples'. */
static int
keep_labelled(struct cli_selection *s, const struct pf_store_entry *entry,
    struct pf_profile *profile, struct pf_error *err)
{
	struct pf_label_filters filters = {0};
	const char **rest = NULL;
	size_t count = 0;
	int rc = s->labels ? PF_CALLOC(rest, s->labels->count, err) : 0;

	for (size_t i = 0; !rc && s->labels && i < s->labels->count; i++) {
		const char *label = s->labels->items[i];
		size_t name = strcspn(label, "="), k = 0;
		while (
		    k < entry->label_count && (strncmp(entry->labels[k].name, label, name) != 0 ||
						  entry->labels[k].name[name]))
			k++;
		if (k == entry->label_count)
			rest[count++] = label;
	}
	if (!rc && count)
		rc = pf_label_filters_init(&filters, rest, count, err);
	if (!rc && count)
		pf_samples_keep_labelled(profile, &filters);
	pf_label_filters_release(&filters);
	free(rest);
	return rc;
}

int
cli_selection_entry_profile(struct cli_selection *s, size_t at,
    const struct pf_read_options *options, struct pf_profile **profile, struct pf_error *err)
{
	struct pf_store_entry entry;
	const void *bytes;
	size_t size;
	int rc = pf_selection_entry(s->selection, at, &entry, err);

	*profile = NULL;
	if (rc)
		return rc;
	snprintf(s->name, sizeof s->name, "%s: %s of %s at %" PRId64,
	    pf_store_path(pf_selection_store(s->selection, at)), entry.type,
	    pf_store_label(&entry, "instance"), entry.start_nanos / 1000000000);
	rc = pf_selection_bytes(s->selection, at, &bytes, &size, err);
	if (!rc)
		rc = pf_profile_parse(profile, s->name, bytes, size, options, err);
	if (!rc && s->settings->trace)
		pf_samples_keep_trace(*profile, s->settings->trace);
	if (!rc)
		rc = keep_labelled(s, &entry, *profile, err);
	if (rc) {
		pf_profile_free(*profile);
		*profile = NULL;
	}
	return rc;
}

int
cli_selection_profile(struct cli_selection *s, size_t i, const struct pf_read_options *options,
    struct pf_profile **profile, struct pf_error *err)
{
	return cli_selection_entry_profile(
	    s, pf_selection_stored(s->selection, i), options, profile, err);
}
