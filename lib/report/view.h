/*
 * view.h: one profile, seen through one set of options.
 *
 * A view picks a sample type, keeps the samples that match, names their
 * frames, and then prints tables, text or pages into a buffer. Flat is what
 * samples spend in a function itself, cum what they spend in it and in all it
 * calls, counted once per sample however often it recurses. Shares refer to
 * all samples of the profile, kept or not; in a profile with a base (samples
 * labelled pprof::base=true) to the base.
 */
#ifndef PF_REPORT_VIEW_H
#define PF_REPORT_VIEW_H

#include "core/buffer.h"
#include "report/frames.h"

/* Zeroed: everything shown, in the profile's own default type. */
struct pf_view_options {
	const char *sample_type; /* name, or position as a number; NULL: the profile's default */
	const char *focus;       /* POSIX extended: only samples with a matching function or file */
	const char *ignore;      /* and without any that matches this */
	const char *unit;        /* "ms", "MB", …; NULL or "auto": what suits the values */
	enum pf_granularity granularity;
	bool sort_by_cum;
	size_t node_limit;  /* rows; 0: all */
	double least_share; /* of the total, 0 to 1: rows with less cum are left out */
	double least_edge;  /* edges with less weight are left out */
	const struct pf_strings
	    *warnings; /* for JSON: what was said of the profile, from [1] on; may be NULL */
};

struct pf_view {
	const struct pf_profile *p; /* borrowed */
	struct pf_view_options options;
	struct pf_frames frames;
	uint32_t type;    /* position of the sample type */
	const char *unit; /* of that type; owned by the profile */
	uint8_t *kept;    /* of each sample: whether it is shown */
	uint8_t *is_base; /* of each sample; NULL where there is no base */
	size_t kept_count;
	int64_t total; /* what shares refer to */
};

/*
 * Borrows profile and option strings. PF_EUSAGE for an unknown sample type and
 * for expressions that do not compile; PF_EINPUT where the values exceed 64
 * bits; PF_ENOMEM. Release the report after a failure too.
 */
int pf_view_init(struct pf_view *r, const struct pf_profile *p,
    const struct pf_view_options *options, struct pf_error *err);
void pf_view_release(struct pf_view *r);

/* A sample's value in the report's type. */
static inline int64_t
pf_view_value(const struct pf_view *r, size_t sample)
{
	return r->p->values[sample * r->p->type_count + r->type];
}

/* A warning that the user should see, or NULL: an expression that matched nothing, names missing. */
const char *pf_view_advice(const struct pf_view *r);

/* The lines above every table: file, build id, type, time, duration, the total in this unit. */
void pf_view_header(const struct pf_view *r, const char *unit, struct pf_buffer *out);

/* Each appends its whole text. PF_ENOMEM; peek: PF_EINPUT where nothing matches the expression. */
int pf_view_top(const struct pf_view *r, struct pf_buffer *out, struct pf_error *err);
int pf_view_tree(const struct pf_view *r, struct pf_buffer *out, struct pf_error *err);
int pf_view_peek(
    const struct pf_view *r, const char *expression, struct pf_buffer *out, struct pf_error *err);
int pf_view_diff(const struct pf_view *r, struct pf_buffer *out, struct pf_error *err);
/* The profile as it is: samples (all, or those that a view keeps), locations, mappings. */
int pf_view_raw(
    const struct pf_profile *p, const uint8_t *kept, struct pf_buffer *out, struct pf_error *err);
/* All sample types of the kept samples as one HTML page that needs nothing else. */
int pf_view_flame(
    const struct pf_view *r, const char *title, struct pf_buffer *out, struct pf_error *err);

/* The same as JSON objects (schema profuse.show.v1). `expression` is peek's, or NULL for all rows. */
int pf_view_nodes_json(const struct pf_view *r, const char *verb, const char *expression,
    struct pf_buffer *out, struct pf_error *err);
int pf_view_raw_json(
    const struct pf_profile *p, const uint8_t *kept, struct pf_buffer *out, struct pf_error *err);

#endif
