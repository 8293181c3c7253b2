-- The newest photos of the people whom `viewer` follows.
CREATE OR REPLACE FUNCTION feed_candidates(viewer bigint, wanted integer)
RETURNS SETOF photos_media
LANGUAGE sql STABLE AS $$
    SELECT media.*
    FROM photos_media AS media
    JOIN photos_follow AS follow ON follow.followee_id = media.author_id
    WHERE follow.follower_id = viewer
    ORDER BY media.posted_at DESC, media.id DESC
    LIMIT wanted
$$;
