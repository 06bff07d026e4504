-- For wrk: the token comes from the environment, since command lines are seen by everyone.
wrk.headers["Authorization"] = "Bearer " .. os.getenv("DELTAGATE_TOKEN")
