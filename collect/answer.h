/*
 * answer.h: what a pprof server's answer means.
 *
 * Policy only, no transfer and no clock: what is a profile's body, what may be
 * asked again later, what is final; and the sentence about it, quoting the server.
 */
#ifndef PF_COLLECT_ANSWER_H
#define PF_COLLECT_ANSWER_H

#include "net/http.h"

enum pf_answer_kind {
	PF_ANSWER_BODY,   /* 200: look into the body */
	PF_ANSWER_BUSY,   /* another profile is being taken, or "try later": ask again */
	PF_ANSWER_ABSENT, /* 404: no such profile at this address */
	PF_ANSWER_REFUSED,
};

/* Undoes a Content-Encoding that we never asked for. PF_EINPUT: broken, or over the body's cap. */
int pf_answer_decode(
    struct pf_http_answer *a, const char *shown, uint32_t max_ratio, struct pf_error *err);

enum pf_answer_kind pf_answer_classify(const struct pf_http_answer *a);

/* Says why this answer (any kind but PF_ANSWER_BODY) is no profile and what to do; returns PF_EIO. */
int pf_answer_explain(const struct pf_http_result *r, bool have_credentials, struct pf_error *err);

/* Says what a body is that starts like text, HTML or another format; 0: it may be profile.proto. PF_EINPUT. */
int pf_answer_check_body(const struct pf_http_result *r, struct pf_error *err);

#endif
