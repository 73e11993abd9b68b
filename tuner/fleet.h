/*
 * fleet.h: many reports as one table: a row a service, what it would save.
 *
 * Findings overlap (the collector's share is in two of them), so savings are not
 * added up within a service: the greatest counts, of findings that are sure
 * enough. Its bounds are those that the finding's own prediction or share has;
 * where it has none, anything from nothing to the whole may come true. Cores are
 * the share times the cores that the service uses, where its report knows them
 * (--cores-used). A total's bounds are the sums of the rows': wider than chance
 * alone would have it, for the rows' errors have models in common.
 *
 * Of several reports of one service the latest counts: added up, it would be
 * several services. The others are left out, which is said.
 */
#ifndef PF_TUNER_FLEET_H
#define PF_TUNER_FLEET_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <profuse/tune.h>

#include "core/buffer.h"

/* What may be saved, with the bounds of its error. */
struct pf_saving {
	double value, low, high;
};

struct pf_fleet_row {
	char *service; /* owned */
	char *report;  /* owned: the file that it came from */
	char *time;    /* owned: when it was made, ISO 8601 in UTC */
	size_t order;  /* of the reports as they were given */
	char *title;   /* owned: of the first finding, "" where there is none */
	char *saver;   /* owned: of the one that saves, "" where it is the first, or none does */
	json_t *list;  /* owned: its findings, in short: what a page leads to */
	json_t *not_judged; /* owned: sentences about what its evidence leaves open */
	size_t findings, high;
	bool
	    outage; /* threads or goroutines of it wait for each other for good: first in the table */
	struct pf_saving cpu, cores, bytes; /* share of CPU; cores (NaN: not known); bytes */
};

struct pf_fleet {
	struct pf_fleet_row *rows; /* what stands still, the most cores, the most memory */
	size_t count, capacity;
	size_t left_out; /* rows after those: what a later report takes the place of */
	struct pf_saving cores, bytes;
	size_t outages;
	size_t without_cores; /* services that would save CPU, of which the cores are not known */
};

void pf_fleet_text(const struct pf_fleet *f, struct pf_buffer *out);
void pf_fleet_markdown(const struct pf_fleet *f, struct pf_buffer *out);
/* Schema profuse.tune-fleet.v1 of docs/tune.md. PF_ENOMEM. */
int pf_fleet_json(const struct pf_fleet *f, struct pf_buffer *out, struct pf_error *err);
/*
 * The same as a page that loads nothing; `path` is where it will lie: a
 * service's own page NAME.html beside its report NAME.json gets a link, if it
 * lies in the same folder as `path` or below it. PF_ENOMEM.
 */
int pf_fleet_html(
    const struct pf_fleet *f, const char *path, struct pf_buffer *out, struct pf_error *err);

#endif
