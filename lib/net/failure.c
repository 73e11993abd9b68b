/* failure.c: libcurl's codes in words; see failure.h. */
#include "net/failure.h"

#include <string.h>

#include "core/error.h"
#include "net/text.h"

/* What to do about it; NULL: the detail says enough. */
static const char *
advice(CURLcode result, const char *detail, bool https)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "check the host's name";
	case CURLE_COULDNT_CONNECT:
		return "is the service running, and is this its pprof port?";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "the server's certificate is not accepted: name its authority with "
		       "--cacert, and use the host "
		       "name that it was made for";
	case CURLE_SSL_CACERT_BADFILE:
		return "--cacert must name a readable PEM file";
	case CURLE_SSL_CERTPROBLEM:
		return "--cert and --key must name an unencrypted PEM certificate and the key that "
		       "belongs to it";
	case CURLE_SSL_CONNECT_ERROR:
		return "does the port speak TLS?";
	case CURLE_GOT_NOTHING:
		return "the service closed the connection without an answer: did it end meanwhile, "
		       "or does the port speak https?";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return "does the port speak HTTP, or is it https?";
	case CURLE_PARTIAL_FILE:
		return "the connection ended before the whole body was there; try again";
	default:
		break;
	}
	if (strstr(detail, "certificate required") || strstr(detail, "bad certificate") ||
	    strstr(detail, "handshake failure"))
		return "the server may want a client certificate: give --cert and --key";
	if (result != CURLE_RECV_ERROR && result != CURLE_SEND_ERROR)
		return NULL;
	if (https)
		return "the connection was cut; a server that wants a client certificate does that "
		       "too: see "
		       "--cert and --key";
	return "the service, or something on the way, cut the connection; try again";
}

static int
timed_out(const struct pf_transfer *t, struct pf_error *err)
{
	double connect = 0;

	curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME, &connect);
	if (connect == 0)
		return pf_error_set(err, PF_EIO,
		    "%s: no connection after %.3g s; check address and firewall, or raise "
		    "--connect-timeout",
		    t->shown, pf_net_now() - t->started);
	return pf_error_set(err, PF_EIO,
	    "%s: no complete answer after %.3g s (%zu bytes came); --timeout allows more", t->shown,
	    pf_net_now() - t->started, t->answer.body.size);
}

int
pf_transfer_failure(const struct pf_transfer *t, CURLcode result, struct pf_error *err)
{
	const char *said = t->detail[0] ? t->detail : curl_easy_strerror(result), *next;
	char detail[CURL_ERROR_SIZE];

	if (result == CURLE_OUT_OF_MEMORY || (t->answer.body.failed && t->stop != PF_TOO_BIG))
		return pf_error_nomem(err);
	if (t->stop == PF_TOO_BIG || result == CURLE_FILESIZE_EXCEEDED)
		return pf_error_set(err, PF_EINPUT,
		    "%s: the body has more than the %zu bytes allowed; --max-size lifts "
		    "the cap",
		    t->shown, t->answer.body.maximum);
	if (t->headers_too_big)
		return pf_error_set(err, PF_EIO,
		    "%s: the answer's headers never seem to end; is this a profile's "
		    "address?",
		    t->shown);
	if (t->stop == PF_STALLED)
		return pf_error_set(err, PF_EIO,
		    "%s: the body stopped coming for %.3g s after %zu bytes; the service or "
		    "the network hangs, try again",
		    t->shown, t->stall_timeout, t->answer.body.size);
	if (result == CURLE_OPERATION_TIMEDOUT)
		return timed_out(t, err);
	pf_text_excerpt(detail, sizeof detail, said, strlen(said));
	next = advice(result, detail, strncmp(t->shown, "https:", 6) == 0);
	return pf_error_set(
	    err, PF_EIO, "%s: %s%s%s", t->shown, detail, next ? "; " : "", next ? next : "");
}
