/*
 * text.h: what a server said, made safe to show.
 *
 * Bytes from a server end up in messages, terminals and JSON. An excerpt is one
 * line of valid UTF-8 without control characters, so that no answer can move a
 * cursor, forge a second line or break a JSON document.
 */
#ifndef PF_NET_TEXT_H
#define PF_NET_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether bytes look like an HTML page: the first thing in them is a tag, a comment or a doctype. */
bool pf_text_is_html(const void *bytes, size_t size);

/* Whether bytes are text as people write it: no NUL and hardly any control characters. Empty is not. */
bool pf_text_is_prose(const void *bytes, size_t size);

/*
 * Fills `to` (room > 4 bytes) with the beginning of `bytes`: white space
 * collapsed, tags of HTML dropped, control, direction and broken characters as
 * '?', cut between characters with "..." when it does not fit. Returns to.
 */
char *pf_text_excerpt(char *to, size_t room, const void *bytes, size_t size);

#endif
