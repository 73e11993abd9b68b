/* proxy.h: by which way a request leaves. */
#ifndef PF_NET_PROXY_H
#define PF_NET_PROXY_H

#include <stdbool.h>

/* Where a transfer has none of these, http_proxy, https_proxy and no_proxy of the environment count. */
struct pf_proxy {
	const char *url; /* NULL: none */
	const char
	    *no_proxy;    /* hosts that are reached directly, as in the environment's; NULL: none */
	bool environment; /* the environment's count after all; url is NULL then */
};

#endif
