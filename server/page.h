/* page.h - the content security policy of the dashboard's page.
 *
 * The page is one file: its script and its style are inside it, and whatever else might get into it
 * is neither run nor shown. So the policy names the two by what they hash to, as CSP level 2 has
 * it, and lets the page talk to where it came from and to nobody else. Pure. */
#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H
#include <stddef.h>

#include "base/err.h"

#define PAGE_POLICY_LEN 512

/* Of a page with exactly one <script> and one <style>, both without attributes; else ERR_INTERNAL.
 */
MUST_CHECK bool page_policy(const char *page, size_t len, char policy[PAGE_POLICY_LEN],
			    struct err *err);
#endif
