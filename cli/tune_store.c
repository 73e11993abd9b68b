/* tune_store.c: see tune_store.h. */
#include "tune_store.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

struct reading {
	struct cli_selection selection;
	bool terminal;
	double shown; /* when progress was told last */
};

static int
read_entry(void *context, size_t i, struct pf_profile **profile, struct pf_error *err)
{
	struct reading *r = context;

	return cli_selection_entry_profile(&r->selection, i, NULL, profile, err);
}

static void
note(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "profuse: note: %s\n", sentence);
}

static void
progress(void *context, size_t done, size_t of)
{
	struct reading *r = context;
	double now = pf_clock_seconds(CLOCK_MONOTONIC);

	if (!r->terminal || now - r->shown < 0.1)
		return;
	r->shown = now;
	fprintf(stderr, "\r\033[Kprofile %zu of %zu", done, of);
}

int
cli_tune_add_store(struct pf_tune *tune, const struct cli_selection_settings *settings,
    const struct cli_list *labels, bool quiet, struct pf_error *err)
{
	struct pf_tune_selection_options o = PF_TUNE_SELECTION_OPTIONS_INIT;
	struct reading r = {.terminal = !quiet && isatty(STDERR_FILENO)};
	int rc = cli_selection_open(&r.selection, settings, labels, err);

	o.read = read_entry;
	o.note = note;
	o.progress = progress;
	o.context = &r;
	if (!rc)
		rc = cli_selection_check_any(&r.selection, err);
	if (!rc)
		rc = pf_tune_add_selection(tune, r.selection.selection, &o, err);
	if (r.terminal && r.shown > 0)
		fputs("\r\033[K", stderr);
	cli_selection_release(&r.selection);
	return rc;
}
