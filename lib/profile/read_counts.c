/*
 * read_counts.c: Go's counted stacks (debug=1 of goroutine, threadcreate, …).
 *
 *	goroutine profile: total 9
 *	7 @ 0x40bb2d 0x40e1a4
 *	#	0x40bb2c	runtime.gopark+0xcc	…/proc.go:402
 *
 * The word before "profile" names the sample type. Comments are passed over.
 * All addresses are return addresses; a stack may be empty.
 */
#include "profile/formats.h"

#include "core/error.h"
#include "profile/builder.h"
#include "profile/maps.h"
#include "profile/noise.h"

/* "TYPE profile: total N" */
static bool
is_header(struct pf_text t, struct pf_text *type)
{
	t = pf_text_trimmed(t);
	*type = pf_text_word(&t);
	pf_text_expect(&t, "profile:");
	pf_text_expect(&t, "total");
	pf_text_int64(&t);
	return !t.failure && t.at == t.end && type->at < type->end;
}

bool
pf_counts_recognise(const uint8_t *bytes, size_t size)
{
	struct pf_lines lines;
	struct pf_text type;

	pf_lines_init(&lines, "", bytes, size);
	return pf_lines_next_content(&lines) && is_header(lines.line, &type);
}

static int
add_types(struct pf_builder *b, struct pf_text type, struct pf_error *err)
{
	struct pf_value_type *of_period = &b->p->period_type;
	int rc = pf_builder_type(b, "", "count", err);

	if (!rc)
		rc = pf_builder_period(b, "", "count", 1, err);
	if (!rc)
		rc = pf_builder_string(b, type, &of_period->type, err);
	if (!rc)
		b->p->types[0] = *of_period;
	return rc;
}

static int
add_line(struct pf_builder *b, const struct pf_lines *lines, struct pf_error *err)
{
	struct pf_text t = lines->line;
	int64_t count = pf_text_int64(&t);
	int rc;

	pf_text_expect(&t, "@");
	if (!t.failure && count < 0)
		pf_text_fail(&t, "a negative count");
	rc = pf_builder_callers(b, lines, &t, err);
	return rc ? rc : pf_builder_sample(b, &count, err);
}

int
pf_counts_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct pf_lines lines;
	struct pf_text type;
	int rc;

	pf_lines_from(&lines, source);
	(void)pf_lines_next_content(&lines);
	(void)is_header(lines.line, &type);
	rc = add_types(b, type, err);
	if (!rc)
		rc = pf_noise_set(b, PF_NOISE_CPU, err);
	while (!rc && pf_lines_next_content(&lines) && !pf_text_starts(&lines.line, "---") &&
	       !pf_maps_begin(&lines.line))
		rc = add_line(b, &lines, err);
	return rc ? rc : pf_maps_read(b, &lines, err);
}
