/*
 * page.h: a page in one HTML file that loads nothing.
 *
 * Style, markup and programs are the files of page/, which the build turns into
 * arrays: a file put there is found by its name. Data reaches the page as one
 * JSON text in a script element that browsers do not run; a content security
 * policy allows exactly the page's own styles and programs, by their hashes,
 * and nothing else: no other script, no connection, no image from outside.
 *
 *	pf_page_open(out, &parts, title);
 *	… append one JSON value: pf_json_text() and friends, or pf_page_json() …
 *	pf_page_close(out, &parts);
 *
 * Failures (no memory, a part that doesn't exist) stick to the buffer.
 */
#ifndef PF_REPORT_PAGE_H
#define PF_REPORT_PAGE_H

#include "core/buffer.h"

enum { PF_PAGE_PARTS = 4 };

struct pf_page_parts {
	const char *subject;               /* after the title: "flame graph" */
	const char *styles[PF_PAGE_PARTS]; /* names in page/, in order; NULL ends */
	const char *body;                  /* markup */
	const char *data_id;               /* of the element that holds the JSON */
	const char *scripts[PF_PAGE_PARTS];
};

/* Everything up to the data. The title may be any text. */
void pf_page_open(struct pf_buffer *out, const struct pf_page_parts *parts, const char *title);
/* Everything after it. */
void pf_page_close(struct pf_buffer *out, const struct pf_page_parts *parts);

/*
 * Appends a whole JSON text (of jansson, say) so that nothing in it can end the
 * script element: "<", ">", "&" and the line separators become escapes, which
 * is right because JSON has these characters in strings only.
 */
void pf_page_json(struct pf_buffer *out, const void *json, size_t size);

/* What the build made of page/; ends with a name of NULL. */
struct pf_page_file {
	const char *name;
	const unsigned char *bytes;
	const size_t *size;
};
extern const struct pf_page_file pf_page_files[];

#endif
