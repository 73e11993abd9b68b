/* pressure.c: see pressure.h. "some avg10=0.12 avg60=0.05 avg300=0.01 total=123456" */
#include "runtime/pressure.h"

#include <math.h>

#include "core/error.h"
#include "core/file.h"
#include "core/lines.h"

enum { MOST_BYTES = 1 << 12 };

static void
read_stall(struct pf_text *t, struct pf_stall *stall)
{
	while (pf_text_blanks(t), pf_text_left(t)) {
		double *to = NULL, scale = 1e-2;
		struct pf_text word = pf_text_word(t);

		if (pf_text_skip(&word, "avg10="))
			to = &stall->avg10;
		else if (pf_text_skip(&word, "avg60="))
			to = &stall->avg60;
		else if (pf_text_skip(&word, "avg300="))
			to = &stall->avg300;
		else if (pf_text_skip(&word, "total="))
			to = &stall->seconds, scale = 1e-6;
		if (to)
			*to = pf_text_double(&word) * scale;
		if (word.failure)
			pf_text_fail(t, word.failure);
	}
}

int
pf_pressure_parse(
    struct pf_pressure *p, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	const struct pf_stall unknown = {NAN, NAN, NAN, NAN};
	struct pf_lines lines;

	*p = (struct pf_pressure){unknown, unknown};
	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next_content(&lines)) {
		struct pf_text t = lines.line;
		if (pf_text_skip(&t, "some "))
			read_stall(&t, &p->some);
		else if (pf_text_skip(&t, "full "))
			read_stall(&t, &p->full);
		if (t.failure)
			return pf_lines_check(&lines, &t, err);
	}
	if (isnan(p->some.seconds) && isnan(p->full.seconds))
		return pf_error_set(
		    err, PF_EINPUT, "%s: no pressure stall information in it", name);
	return 0;
}

int
pf_pressure_read(struct pf_pressure *p, const char *path, struct pf_error *err)
{
	struct pf_buffer text;
	int rc;

	pf_buffer_init(&text, MOST_BYTES);
	rc = pf_file_read(path, &text, err);
	if (!rc)
		rc = pf_pressure_parse(p, path, text.bytes, text.size, err);
	pf_buffer_release(&text);
	return rc;
}
