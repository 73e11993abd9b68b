/* collect_output.h: what profuse collect shows and where it puts the profile. */
#ifndef CLI_COLLECT_OUTPUT_H
#define CLI_COLLECT_OUTPUT_H

#include <profuse/collect.h>

#include <jansson.h>

struct collect_report {
	json_t *warnings; /* owned array of strings */
	char *path;       /* owned; where the profile goes; "-": standard output */
	bool terminal;    /* progress is shown */
	bool shown;       /* a line of progress stands on the terminal */
};

int collect_report_init(struct collect_report *r, struct pf_error *err);
void collect_report_release(struct collect_report *r);

void collect_warning_keep(struct collect_report *r, const char *sentence);
void collect_progress_show(struct collect_report *r, const struct pf_collect_progress *progress);
void collect_progress_clear(struct collect_report *r);

/* Whether `wish` (NULL: a name of our own, here) can be written, asked before minutes are spent. PF_EIO. */
int collect_output_check(const char *wish, struct pf_error *err);

/* Sets r->path: `wish` itself, or a name made of the profile's origin, in the folder `wish` or here (NULL). */
int collect_output_path(
    struct collect_report *r, const char *wish, const struct pf_collected *c, struct pf_error *err);

/* One line to standard error; one JSON object to standard output. */
void collect_report_text(const struct collect_report *r, const struct pf_collected *c);
int collect_report_json(
    const struct collect_report *r, const struct pf_collected *c, struct pf_error *err);

#endif
