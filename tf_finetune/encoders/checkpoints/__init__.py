"""An encoder's weights as its variables, whatever files hold them."""
