/* notify.h: telling systemd how we are (sd_notify(3)), where it has asked to be told. */
#ifndef PF_COLLECT_NOTIFY_H
#define PF_COLLECT_NOTIFY_H

/* Sends "READY=1" and the like to the socket that NOTIFY_SOCKET names; nothing without it. */
void pf_notify(const char *state);

#endif
