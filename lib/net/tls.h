/*
 * tls.h: how a server proves itself to us and we to it.
 *
 * Verification is on unless `insecure` is set, per target; whoever sets it
 * warns the user. Files are PEM. Strings are borrowed.
 */
#ifndef PF_NET_TLS_H
#define PF_NET_TLS_H

#include <stdbool.h>

struct pf_tls_settings {
	const char *ca_file;   /* trusted instead of the system's; NULL: the system's */
	const char *cert_file; /* our certificate; its key may be in the same file */
	const char *key_file;
	const char
	    *server_name; /* whose certificate it must be, instead of the address's host; or NULL */
	bool insecure;
};

#endif
