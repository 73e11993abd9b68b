/*
 * markup.h: plain text with a few marks, as people write it, into HTML.
 *
 * Blocks: # headings, - and 1. lists, > quotations, ``` code, | tables, paragraphs.
 * Inside: *emphasis*, **strong**, `code`, [label](address), bare http(s) addresses.
 * Whatever is no mark is escaped; addresses that are not http, https, mailto or
 * relative become plain text.
 */
#ifndef FOLIO_MARKUP_H
#define FOLIO_MARKUP_H

#include "text.h"

void markup_to_html(struct slice source, struct text *out);

#endif
