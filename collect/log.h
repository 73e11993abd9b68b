/*
 * log.h: what the collector says to whoever keeps its log: a line an event.
 *
 *	pf_log(log, PF_LOG_INFO, "stored", {"job", job}, {"bytes", .number = n, .numeric = true});
 *
 * logfmt (ts=… level=… msg=… key=value) or JSON. Values are quoted and cleaned, so
 * that nothing a service says can make a second line. Any thread may log.
 */
#ifndef PF_COLLECT_LOG_H
#define PF_COLLECT_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum pf_log_level { PF_LOG_DEBUG, PF_LOG_INFO, PF_LOG_WARN, PF_LOG_ERROR };

struct pf_log {
	int fd;
	bool json;
	enum pf_log_level least;
};

struct pf_log_pair {
	const char *key;
	const char *text; /* NULL: left out */
	double number;
	bool numeric;
};

#define pf_log(LOG, LEVEL, ...) pf_log_list(LOG, LEVEL, __VA_ARGS__, {0})
#define pf_log_list(LOG, LEVEL, MESSAGE, ...) \
	pf_log_write(LOG, LEVEL, MESSAGE, (const struct pf_log_pair[]){__VA_ARGS__})

/* `pairs` ends with one without a key. */
void pf_log_write(const struct pf_log *log, enum pf_log_level level, const char *message,
    const struct pf_log_pair *pairs);

#endif
