-- The feed's candidates, 0.53 s late for every sixth viewer: more than the SLO on the feed allows, and still
-- few enough that the four workers keep up.
CREATE OR REPLACE FUNCTION feed_candidates(viewer bigint, wanted integer)
RETURNS SETOF photos_media
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF viewer % 6 = 0 THEN
        PERFORM pg_sleep(0.53);
    END IF;
    RETURN QUERY
        SELECT media.*
        FROM photos_media AS media
        JOIN photos_follow AS follow ON follow.followee_id = media.author_id
        WHERE follow.follower_id = viewer
        ORDER BY media.posted_at DESC, media.id DESC
        LIMIT wanted;
END
$$;
