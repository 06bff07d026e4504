/* The dashboard: a page of this API, for people. It asks for a token itself. */
#include "server/api.h"
#include "server/documents.h"

void api_dashboard_get(struct api_call *call)
{
	api_header(call, "Content-Security-Policy", api_page_policy(call->api));
	api_header(call, "Referrer-Policy", "no-referrer");
	api_header(call, "Cross-Origin-Opener-Policy", "same-origin");
	api_header(call, "Cross-Origin-Resource-Policy", "same-origin");
	api_reply_static(call, "text/html; charset=utf-8", documents_dashboard,
			 documents_dashboard_size);
}
