/*
 * comments.h: the names that Go's texts (debug=1) write as comments beside their addresses.
 *
 *	1: 2304 [1: 2304] @ 0x488aac 0x606268
 *	#	0x606267	compress/flate.(*huffmanEncoder).generate+0x47	/src/huffman_code.go:277
 *
 * Readers pass comments over, as other tools do; where names matter they are taken from here.
 */
#ifndef PF_PROFILE_COMMENTS_H
#define PF_PROFILE_COMMENTS_H

#include "profile/model.h"

/*
 * Names the locations of a profile that was read from these bytes and names none itself. Go leaves its
 * runtime's frames out of the comments where they are innermost or outermost: what has no name beside
 * others that have is called PF_GO_HIDDEN. PF_ENOMEM.
 */
#define PF_GO_HIDDEN "runtime.(not named)"
int pf_profile_name_by_comments(
    struct pf_profile *p, const void *bytes, size_t size, struct pf_error *err);

#endif
